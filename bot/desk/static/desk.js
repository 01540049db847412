// What the desk does beyond plain pages: live updates, drafts in this tab, keys. Without it everything can still be read and answered.
"use strict";

const page = document.body;
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

// ---------------------------------------------------------------- live updates

const QUIET_MS = 30000;
let lastHeard = Date.now();

function parsed(fragment) {
  return [...new DOMParser().parseFromString(fragment, "text/html").body.childNodes];
}

const LEFT = "left";
const BACK = "back";

function goesBack() { // once signed in anew, to where a session had ended under somebody's hands: their draft waits there
  const [left, back] = [LEFT, BACK].map((name) => sessionStorage.getItem(name));
  if (!["/desk", "/desk/sign-in"].includes(location.pathname)) return;
  for (const name of [LEFT, BACK]) sessionStorage.removeItem(name);
  if (location.pathname === "/desk/sign-in") {
    if (left || back) sessionStorage.setItem(BACK, left || back);
  } else if (back) location.replace(back);
}

let waitBefore = 3000;
function listen() {
  const address = page.dataset.stream;
  if (!address || !window.EventSource) return;
  const shown = $("#lines")?.dataset.last;
  const source = new EventSource(shown ? address.replace(/after=\d+/, `after=${shown}`) : address);
  const on = (name, act) => source.addEventListener(name, (event) => { heard(); act(event.data); });
  on("alarms", showAlarms);
  on("queue", showNews);
  on("lines", showLines);
  on("deliveries", showDeliveries);
  on("version", showChanged);
  on("writing", showWriting);
  on("shared", showShared);
  on("beat", () => {});
  on("signed-out", () => {
    source.close();
    sessionStorage.setItem(LEFT, location.pathname);
    location.assign("/desk/sign-in");
  });
  source.addEventListener("open", () => { waitBefore = 3000; });
  source.addEventListener("error", () => { // a browser tries again after a cut, but never after an answer such as 503
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, waitBefore);
    waitBefore = Math.min(waitBefore * 2, 60000);
  });
  window.addEventListener("pagehide", () => source.close());
}

function heard() {
  lastHeard = Date.now();
  const bar = $("#offline");
  if (bar && !bar.hidden) {
    bar.hidden = true;
    mayAct(true);
  }
}

function mayAct(can) { // what cannot be kept is not offered; fields stay open, and what is written in them stays
  for (const button of $$("form[method=post] button:not([type=button])")) {
    if (!can && !button.disabled) button.dataset.offline = "yes";
    if (button.dataset.offline) button.disabled = !can;
    if (can) delete button.dataset.offline;
  }
}

function watchSilence() {
  const bar = $("#offline");
  if (!bar || Date.now() - lastHeard < QUIET_MS || !bar.hidden) return;
  $("span", bar).textContent = new Date(lastHeard).toLocaleTimeString("ja-JP");
  bar.hidden = false;
  mayAct(false);
}

let known = $$("[data-alarm]").length;
const SOUND_ON = "desk-sound-on";

function ring() { // for those who switched it on; a remote screen has no sound, and nothing rests on it
  if (!localStorage.getItem(SOUND_ON) || !window.AudioContext) return;
  const sound = new AudioContext();
  const tone = sound.createOscillator();
  tone.connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.6);
  tone.onended = () => sound.close();
}

function showAlarms(fragment) {
  const place = $("#alarms");
  const nodes = parsed(fragment);
  const key = nodes.map((node) => node.textContent).join("").replace(/\d+:\d\d/g, "");
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const unfolded = Boolean($("details[open]", place));
  place.replaceChildren(...nodes);
  if (unfolded && $("details", place)) $("details", place).open = true;
  const many = $$("[data-alarm]", place).length;
  if (many > known) ring();
  known = many;
  document.title = (many ? `緊急 ${many}件 ` : "") + document.title.replace(/^緊急 \d+件 /, "");
  const link = $("[data-alarm-count]");
  if (link) {
    $("b", link).textContent = many;
    link.classList.toggle("bar__alarm--quiet", many === 0);
  }
}

let knownQueue = null;
function showNews(content) {
  const now = JSON.parse(content);
  const tasks = $("[data-task-count]");
  if (tasks) tasks.textContent = now.tasks;
  const bar = $("#news");
  if (!bar) return;
  const next = $("[data-next]");
  if (next) next.disabled = !now.open.some(([, state]) => state === "waiting");
  if (now.open.length && $("[data-empty=open]")) { // nothing is under the pointer, so nothing can move away from it
    location.reload();
    return;
  }
  const open = JSON.stringify(now.open);
  if (knownQueue === null) knownQueue = location.pathname === "/desk" ? JSON.stringify(JSON.parse(bar.dataset.pulse)) : open;
  if (open === knownQueue) return;
  const known = new Set(bar.dataset.known.split(" "));
  const fresh = location.pathname === "/desk" ? now.open.filter(([code]) => !known.has(code)).length : 0;
  $("span", bar).textContent = fresh ? `新しい ${fresh} 件` : "動きがありました。";
  bar.hidden = false;
}

function showLines(fragment) {
  const list = $("#lines");
  if (!list) return;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const end = $("#newest");
  for (const node of parsed(fragment)) {
    if (node.nodeType === Node.ELEMENT_NODE && !(node.id && document.getElementById(node.id))) end.before(node);
  }
  const last = $$("[data-seq]", list).pop();
  if (last) list.dataset.last = last.dataset.seq;
  if (atEnd) list.scrollTop = list.scrollHeight; else $("#to-newest").hidden = false;
  tellSeen();
}

function offerNewest() {
  const button = $("#to-newest");
  if (!button) return;
  const list = $("#lines");
  button.onclick = () => {
    list.scrollTop = list.scrollHeight;
    button.hidden = true;
  };
  list.addEventListener("scroll", () => { if (list.scrollHeight - list.scrollTop - list.clientHeight < 80) button.hidden = true; });
}

function showDeliveries(content) {
  for (const [seq, words] of Object.entries(JSON.parse(content))) {
    const place = $(`[data-delivery="${CSS.escape(seq)}"]`);
    if (place && place.textContent !== words) place.textContent = words;
  }
}

function showChanged(version) {
  const field = $("[name=expected_version]");
  const bar = $("#changed");
  if (bar && field && field.value !== version) bar.hidden = false;
}

function showWriting(names) {
  const bar = $("#writing");
  if (!bar) return;
  bar.textContent = names ? `${names}さんが書いています` : "";
  bar.hidden = !names;
}

let knownShared = null;
function showShared(content) {
  const one = $("[data-shared-one]");
  if (one && !JSON.parse(content).some(([id]) => id === one.dataset.sharedOne)) location.replace("/desk/shared");
  else if (!one && knownShared !== null && knownShared !== content && location.pathname === "/desk/shared") location.reload();
  knownShared = content;
}

let toldWriting = 0;
function tellWriting(event) {
  const list = $("#lines");
  if (!list || !event.target.matches("[data-send] textarea") || Date.now() - toldWriting < 5000) return;
  toldWriting = Date.now();
  post(list.dataset.seen.replace(/seen$/, "writing"), {});
}

let toldSeen = 0;
function tellSeen() {
  const list = $("#lines");
  if (!list || document.visibilityState !== "visible") return;
  const seq = Number(list.dataset.last);
  if (seq <= toldSeen) return;
  toldSeen = seq;
  post(list.dataset.seen, { seq });
}

function post(address, fields) {
  const body = new URLSearchParams({ csrf: page.dataset.csrf, ...fields });
  return fetch(address, { method: "POST", body, credentials: "same-origin", keepalive: true });
}

// ---------------------------------------------------------------- time left, and the end of the session

function hoursAndMinutes(milliseconds) {
  const minutes = Math.floor(milliseconds / 60000);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

function passedFor(milliseconds) {
  const minutes = Math.floor(milliseconds / 60000);
  if (minutes < 60) return `${minutes}分過ぎた`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}時間過ぎた` : `${Math.floor(minutes / 1440)}日過ぎた`;
}

function tick() {
  const now = Date.now();
  for (const place of $$("[data-until]")) {
    const left = new Date(place.dataset.until) - now;
    place.classList.toggle("late", left < 0);
    place.textContent = left < 0 ? passedFor(-left) : hoursAndMinutes(left);
  }
  for (const place of $$("[data-since]")) place.textContent = hoursAndMinutes(Math.max(0, now - new Date(place.dataset.since)));
}

let idleTimer;
function watchIdle(seconds) {
  const bar = $("#idle");
  if (!bar || !seconds) return;
  bar.hidden = true;
  clearTimeout(idleTimer);
  idleTimer = setTimeout(() => { bar.hidden = false; }, Math.max(0, seconds - 300) * 1000);
  $("button", bar).onclick = async () => {
    const answer = await post("/desk/stay", {});
    if (answer.ok) watchIdle(seconds); else location.assign("/desk/sign-in");
  };
}

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

function sendOnce() {
  for (const form of $$("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.going) event.preventDefault();
      form.dataset.going = "yes";
      setTimeout(() => { delete form.dataset.going; }, 5000);
    });
  }
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
sendOnce();
takeTokenFromAddress();
copyOffers();
offerReadySentences();
offerSwitches();
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
document.addEventListener("input", tellWriting);
document.addEventListener("visibilitychange", tellSeen);
