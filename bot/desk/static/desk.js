// What hands do at the desk beyond plain pages: drafts in this tab, keys, small helps. Without it everything can still be read and answered; live.js comes before.
"use strict";

// ---------------------------------------------------------------- drafts: in this tab only

const GOING = "going:";

function arrived(name, text) { // whether what was sent from here stands on this page now; a send that was cut off does not
  const from = Number(sessionStorage.getItem(GOING + name));
  const same = (place) => place.textContent.trim() === text.trim();
  if (name.startsWith("note:")) return $$(".memo__note .line__text").some(same);
  return $$(".line--staff").some((line) => Number(line.dataset.seq) > from && $$(".line__text", line).some(same));
}

function keepDrafts() {
  for (const field of $$("[data-draft]")) {
    const name = field.dataset.draft;
    const sent = sessionStorage.getItem(GOING + name) !== null;
    if (sent && arrived(name, sessionStorage.getItem(name) || "")) sessionStorage.removeItem(name);
    sessionStorage.removeItem(GOING + name);
    if (!field.value && !field.dataset.kept) field.value = sessionStorage.getItem(name) || "";
    const save = () => (field.value ? sessionStorage.setItem(name, field.value) : sessionStorage.removeItem(name));
    let waiting;
    field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(save, 3000); });
    field.addEventListener("blur", save);
    window.addEventListener("pagehide", save);
    field.form.addEventListener("submit", () => { // kept until the next page shows that it arrived: the network may drop now
      clearTimeout(waiting);
      save();
      sessionStorage.setItem(GOING + name, $("#lines")?.dataset.last || "0");
    });
  }
}

function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.going) event.preventDefault();
  const started = !form.dataset.going && tellGoing(event.submitter);
  form.dataset.going = "yes";
  setTimeout(() => { delete form.dataset.going; }, started ? 60000 : 5000);
}

function tellGoing(button) { // what takes some seconds says so beside the button that was pressed
  const place = button && $("[data-going-place]", button.form);
  if (!place || !button.dataset.going) return false;
  place.textContent = button.dataset.going;
  window.addEventListener("pageshow", () => { // whoever comes back with the browser's own button finds a form that waits for nothing
    place.textContent = "";
    delete button.form.dataset.going;
  }, { once: true });
  return true;
}

// ---------------------------------------------------------------- keys (desk.md §8)

const KEYS_OFF = "desk-keys-off";

function composing(event) {
  return event.isComposing || event.keyCode === 229;
}

function inField(target) { // a box to tick takes no letters
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
}

function onKey(event) {
  if (composing(event)) return;
  if (event.ctrlKey && event.key === "Enter" && event.target.matches("[data-send] textarea")) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (event.altKey && event.shiftKey && (event.key === "?" || event.code === "Slash")) {
    location.assign("/desk/help");
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || inField(event.target) || localStorage.getItem(KEYS_OFF)) return;
  if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
    return;
  }
  if (event.key === "x") {
    const box = event.target.closest("tr")?.querySelector("[name=pick]");
    if (box) box.click();
    return;
  }
  if (!/^[a-z]$/.test(event.key)) return;
  const target = $(`[data-key="${event.key}"]`);
  if (!target || target.disabled || target.closest("[hidden]")) return;
  event.preventDefault();
  if (target.matches("textarea, input")) target.focus(); else target.click();
}

function move(step) {
  const rows = $$("[data-row]");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
}

function offerSwitches() {
  for (const [selector, name] of [["#keys-off", KEYS_OFF], ["#sound-on", SOUND_ON]]) {
    const box = $(selector);
    if (!box) continue;
    box.checked = Boolean(localStorage.getItem(name));
    box.onchange = () => (box.checked ? localStorage.setItem(name, "yes") : localStorage.removeItem(name));
  }
}

function headEveryPage() { // a paper that falls apart still says what it is, whose, and who printed it when (desk.md §3)
  const head = $(".paper__head, .print-head");
  if (head) document.documentElement.style.setProperty("--paper-head", JSON.stringify(head.textContent.trim()));
}

function tellPrinted() {
  const place = $("#main")?.dataset.printed;
  if (place) window.addEventListener("beforeprint", () => post(place, {}));
}

// ---------------------------------------------------------------- small things of single pages

function takeTokenFromAddress() {
  const field = $("#token");
  if (!field || location.hash.length < 2) return;
  field.value = location.hash.slice(1);
  $("[data-token-field]").hidden = true;
  history.replaceState(null, "", location.pathname);
  $("#name").focus();
}

function copyOffers() {
  const sentence = $("[data-ending] #sentence");
  for (const radio of $$("[data-ending] [data-offer]")) {
    radio.addEventListener("change", () => {
      sentence.value = radio.dataset.offer;
      sentence.disabled = radio.value === "none";
    });
  }
}

function offerReadySentences() {
  for (const button of $$("[data-insert]")) {
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.insert);
      field.setRangeText((field.value ? "\n" : "") + button.textContent, field.value.length, field.value.length, "end");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      button.closest("details").open = false;
    });
  }
}

function offerTogether() { // without this script the form simply stands below the queue
  const form = $("[data-together]");
  if (!form) return;
  const boxes = $$("[name=pick]");
  const show = () => {
    const many = boxes.filter((box) => box.checked).length;
    form.hidden = many === 0;
    $("[data-picked]", form).textContent = many ? `${many} 件：` : "";
  };
  for (const box of boxes) box.addEventListener("change", show);
  show();
}

function foldBar() { // on a narrow screen the bar would push the work away
  const rest = $(".bar__more");
  if (!rest) return;
  const narrow = window.matchMedia("(max-width: 44rem)");
  const fold = () => { rest.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();
}

function showNewest() {
  const list = $("#lines");
  if (!list) return;
  const target = location.hash.startsWith("#m-") && document.getElementById(location.hash.slice(1));
  if (!target) list.scrollTop = list.scrollHeight;
  if (location.hash === "#newest") { // without this script the address leads there; with it the list is scrolled, and the page stays at its top
    const toTop = () => window.scrollTo(0, 0);
    history.replaceState(null, "", location.pathname);
    toTop();
    window.addEventListener("load", toTop, { once: true });
  }
  tellSeen();
}

goesBack();
listen();
keepDrafts();
takeTokenFromAddress();
copyOffers();
offerReadySentences();
offerSwitches();
headEveryPage();
tellPrinted();
offerNewest();
offerTogether();
foldBar();
showNewest();
tick();
watchIdle(Number(page.dataset.endsIn));
setInterval(tick, 15000);
setInterval(watchSilence, 5000);
document.addEventListener("keydown", onKey);
document.addEventListener("submit", sendOnce);
document.addEventListener("input", tellWriting);
document.addEventListener("visibilitychange", tellSeen);
