// What a page of the desk hears while it lies open: alarms, news, new lines, and the time that is left.
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
  on("changed", showRewritten);
  on("taken-back", showTakenBack);
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

function still(change) { // a change above the work: what a hand points at stays where it is (desk.md §2)
  const strip = $("#strip");
  const work = $("[data-queue]") || $("#main");
  strip.style.minHeight = `${strip.offsetHeight}px`; // a place that was taken once is kept
  const before = work.getBoundingClientRect().top;
  change();
  const moved = work.getBoundingClientRect().top - before;
  if (moved < 1) return;
  page.style.minHeight = `${window.scrollY + moved + window.innerHeight}px`;
  window.scrollBy({ top: moved, behavior: "instant" });
}

function heard() {
  lastHeard = Date.now();
  const bar = $("#offline");
  if (bar && !bar.hidden) {
    still(() => { bar.hidden = true; });
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
  still(() => { bar.hidden = false; });
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

function told(nodes) { // what a strip says, whatever the hour: the same is not said twice, and takes no focus away
  return nodes.map((node) => node.textContent).join("").replace(/\d+:\d\d|\s/g, "");
}

function showAlarms(fragment) {
  const place = $("#alarms");
  const nodes = parsed(fragment);
  const key = told(nodes);
  if (key === told([...place.childNodes])) return;
  const unfolded = Boolean($("details[open]", place));
  still(() => {
    place.replaceChildren(...nodes);
    if (unfolded && $("details", place)) $("details", place).open = true;
  });
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

async function drawQueue(content) { // nothing of a queue is under the pointer yet; the strip, the head and whoever tabs through them stay as they are
  const answer = await fetch("/desk", { credentials: "same-origin" }).catch(() => null);
  const fresh = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const empty = $("[data-empty=open]");
  if (!empty) return showNews(content); // news that came while it was drawn
  if (!fresh || !$("[data-queue]", fresh)) return;
  for (const place of [".queue-head__counts", ".views"]) {
    if (!$(place).contains(document.activeElement)) $(place).replaceWith($(place, fresh));
  }
  Object.assign($("#news").dataset, $("#news", fresh).dataset);
  knownQueue = JSON.stringify(JSON.parse($("#news").dataset.pulse));
  $("#news").hidden = true;
  empty.replaceWith($("[data-queue]", fresh), $("[data-together]", fresh));
  offerTogether();
  tick();
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
  if (now.open.length && $("[data-empty=open]")) {
    drawQueue(content);
    return;
  }
  const open = JSON.stringify(now.open);
  if (knownQueue === null) knownQueue = location.pathname === "/desk" ? JSON.stringify(JSON.parse(bar.dataset.pulse)) : open;
  if (open === knownQueue) return;
  const known = new Set(bar.dataset.known.split(" "));
  const fresh = location.pathname === "/desk" ? now.open.filter(([code]) => !known.has(code)).length : 0;
  still(() => {
    $("span", bar).textContent = fresh ? `新しい ${fresh} 件` : "動きがありました。";
    bar.hidden = false;
  });
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

function showRewritten(fragment) { // words that were taken back or written anew: the line stands where it stood
  for (const node of parsed(fragment)) if (node.id) document.getElementById(node.id)?.replaceWith(node);
}

async function showTakenBack(content) { // what rests on words that were taken back: as it stands now, or not at all; what somebody writes beside it stays
  const codes = new Set(JSON.parse(content));
  await redraw((place) => place.dataset.code === undefined || codes.has(place.dataset.code));
}

async function redraw(isOld) {
  const places = (from) => $$("[data-said]", from).filter(isOld);
  if (!places(document).length) return;
  const answer = await fetch(location.pathname + location.search, { credentials: "same-origin" }).catch(() => null);
  const fresh = answer?.ok ? places(new DOMParser().parseFromString(await answer.text(), "text/html")) : [];
  for (const place of places(document)) {
    const now = fresh.find((one) => one.dataset.code === place.dataset.code && one.dataset.said === place.dataset.said);
    if (!now) place.remove(); else if (now.textContent !== place.textContent) place.replaceWith(now);
  }
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
  const bar = $("#changed");
  if (bar && bar.dataset.version !== version) still(() => { bar.hidden = false; });
}

function showWriting(names) {
  const bar = $("#writing");
  if (!bar) return;
  still(() => {
    bar.textContent = names ? `${names}さんが書いています` : "";
    bar.hidden = !names;
  });
}

let knownShared = null;
function showShared(content) {
  const one = $("[data-shared-one]");
  const now = one && JSON.parse(content).find(([id]) => id === one.dataset.sharedOne);
  if (one && !now) location.replace("/desk/shared");
  else if (now && String(now[1]) !== one.dataset.version) { // what is being written stays; sent, it is told that something changed
    one.dataset.version = now[1];
    redraw(() => true);
  } else if (!one && knownShared !== null && knownShared !== content && location.pathname === "/desk/shared") location.reload();
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
  post(list.dataset.seen, { seq }).then((answer) => { if (!answer) toldSeen = 0; });
}

function post(address, fields) { // null where nobody answers: the bar of a cut line says so
  const body = new URLSearchParams({ csrf: page.dataset.csrf, ...fields });
  return fetch(address, { method: "POST", body, credentials: "same-origin", keepalive: true }).catch(() => null);
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
  idleTimer = setTimeout(() => { still(() => { bar.hidden = false; }); }, Math.max(0, seconds - 300) * 1000);
  $("button", bar).onclick = async () => {
    const answer = await post("/desk/stay", {});
    if (answer?.ok) watchIdle(seconds);
    else if (answer) location.assign("/desk/sign-in");
  };
}
