"use strict";
/* Makes the chat page live. Everything here also works without it, as plain forms (desk.md §7).
   Only one thing at a time changes the talk on the page: sends and new lines wait for each other in `turn`. */

(() => {
  const log = document.getElementById("log");
  const form = document.getElementById("say");
  const field = document.getElementById("text");
  const below = document.getElementById("below");
  const offline = document.getElementById("offline");
  const leaving = document.getElementById("leave");
  const FRAGMENT = "text/html-fragment";
  const SEND_TIMEOUT = 20000;
  const SILENCE = 45000;
  let last = Number(log.dataset.last);
  let read = 0;
  let turn = Promise.resolve();
  let heard = Date.now();

  const next = (work) => { turn = turn.then(work, work); return turn; };
  const fresh = () => (crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join(""));

  // ---------------------------------------------------------------- lines

  /* Add the lines of a fragment that are not here yet. The server escaped every word; the parser runs no script. */
  function add(fragment) {
    const parts = new DOMParser().parseFromString(fragment, "text/html").body.children;
    const isNew = [...parts].filter((part) => part.id && !document.getElementById(part.id));
    if (!isNew.length) return;
    if (isNew.some((part) => "gone" in part.dataset)) { location.reload(); return; } // everything was erased: the words go from the screen too
    const wasNear = nearEnd();
    log.querySelectorAll(".answers").forEach((old) => old.remove());
    if (isNew.some((part) => part.querySelector(".state"))) log.querySelectorAll("[data-seq] .state").forEach((old) => old.remove());
    isNew.forEach((part) => { log.append(part); last = Math.max(last, Number(part.dataset.seq)); });
    markRead();
    const first = isNew.find((part) => !part.classList.contains("resident")) || isNew[isNew.length - 1];
    if (wasNear) show(first); else if (!first.classList.contains("resident")) below.hidden = false;
  }

  function nearEnd() { return form.getBoundingClientRect().top < window.innerHeight + 80; }

  function show(line) { line.scrollIntoView({ block: line.offsetHeight > window.innerHeight / 2 ? "start" : "nearest" }); }

  function markRead() {
    const state = log.querySelector("[data-seq] .state");
    if (state && Number(state.closest(".line").dataset.seq) <= read) state.textContent = log.dataset.read;
  }

  // ---------------------------------------------------------------- sending

  function send(fields, shownText) {
    const line = waiting(shownText);
    const body = new URLSearchParams({ id: fresh(), proof: form.elements.proof.value, ...fields });
    return next(() => post(body, line));
  }

  async function post(body, line) {
    body.set("after", String(last));
    const given = new AbortController();
    const timer = setTimeout(() => given.abort(), SEND_TIMEOUT);
    try {
      const answer = await fetch("/say", { method: "POST", body, headers: { accept: FRAGMENT }, signal: given.signal, redirect: "error" });
      if (answer.status === 205) { location.replace("/"); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const fragment = await answer.text();
      line.remove();
      add(fragment);
    } catch {
      failed(body, line);
    } finally {
      clearTimeout(timer);
    }
  }

  /* The words as they wait: named and marked like a line, but without a number of their own. */
  function waiting(text) {
    const line = element("div", "line resident", "");
    line.append(element("p", "who", log.dataset.name), element("p", "bubble", text), element("p", "state", log.dataset.sending));
    log.append(line);
    line.scrollIntoView({ block: "nearest" });
    return line;
  }

  function failed(body, line) {
    const state = line.querySelector(".state");
    const again = element("button", "quiet", log.dataset.again);
    again.type = "button";
    again.addEventListener("click", () => {
      line.classList.remove("failed");
      state.textContent = log.dataset.sending;
      field.focus();
      next(() => post(body, line));
    });
    line.classList.add("failed");
    state.textContent = log.dataset.failed + " ";
    state.append(again);
    line.scrollIntoView({ block: "nearest" });
  }

  function element(name, kind, text) {
    const made = document.createElement(name);
    made.className = kind;
    made.textContent = text;
    return made;
  }

  form.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (pressed && pressed.getAttribute("formaction") === "/language") return;
    event.preventDefault();
    if (pressed && pressed.name === "size") return resize(pressed);
    if (pressed && pressed.name === "button") {
      send({ button: pressed.value }, pressed.textContent.trim());
      if (pressed.closest(".answers")) pressed.closest(".answers").remove();
    } else if (field.value.trim()) {
      send({ text: field.value }, field.value);
      field.value = "";
      grow();
    }
    field.focus({ preventScroll: true });
  });

  /* Enter is a new line, on every device; Ctrl+Enter sends, but never in the middle of choosing kanji. */
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector(".send"));
  });

  function grow() {
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }
  field.addEventListener("input", grow);

  function resize(pressed) {
    document.documentElement.className = `size-${pressed.value}`;
    document.querySelectorAll("[name=size]").forEach((one) => one.setAttribute("aria-pressed", String(one === pressed)));
    fetch("/size", { method: "POST", body: new URLSearchParams({ size: pressed.value }), redirect: "manual" }).catch(() => {});
  }

  // ---------------------------------------------------------------- staying live

  const stream = new EventSource(`/stream?after=${last}`);
  const alive = () => { heard = Date.now(); offline.hidden = true; };
  stream.addEventListener("open", alive);
  stream.addEventListener("beat", alive);
  stream.addEventListener("lines", (event) => { alive(); next(() => add(event.data)); });
  stream.addEventListener("read", (event) => { alive(); read = Number(event.data); next(markRead); });
  stream.addEventListener("left", () => location.replace("/left"));
  window.addEventListener("pagehide", () => stream.close());

  /* A network that swallows streams: ask for the lines ourselves, and say it when even that fails. */
  setInterval(async () => {
    if (Date.now() - heard < SILENCE) return;
    try {
      const answer = await fetch(`/lines?after=${last}`, { headers: { accept: FRAGMENT } });
      if (answer.status === 410) { location.replace("/left"); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const fragment = await answer.text();
      offline.hidden = true;
      next(() => add(fragment));
    } catch {
      offline.hidden = false;
    }
  }, 15000);

  // ---------------------------------------------------------------- leaving

  leaving.addEventListener("submit", (event) => {
    event.preventDefault();
    document.body.replaceChildren();
    document.title = " ";
    stream.close();
    fetch("/leave", { method: "POST", keepalive: true, redirect: "manual" }).catch(() => {});
    location.replace(leaving.dataset.away);
  });

  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  below.addEventListener("click", () => {
    below.hidden = true;
    const lines = log.querySelectorAll(".line");
    if (lines.length) lines[lines.length - 1].scrollIntoView({ block: "start" });
    field.focus({ preventScroll: true });
  });
  window.addEventListener("scroll", () => { if (nearEnd()) below.hidden = true; }, { passive: true });

  const lines = log.querySelectorAll(".line");
  if (!location.hash && lines.length > 1) show(lines[lines.length - 1]);
  grow();
})();
