// Keeps a page fresh: one event stream, and at most one renewal a second. All else is the server's.
"use strict";

const RENEW_AT_MOST_EVERY = 1000, LOOK_ANYWAY_EVERY = 10000, AGAIN_AFTER = 2000, SILENT_FOR_TOO_LONG = 40000;
const lost = document.getElementById("lost");
let due = null, last = 0, isLost = false;

// While somebody marks, types or has something open, what they look at stays as it is.
function isHeld() {
  const active = document.activeElement;
  if (active && active.closest("[data-hold]") && active.matches("input:not([type=checkbox]), select, textarea")) return true;
  return document.querySelector("[data-hold] input[type=checkbox]:checked, details[data-hold][open]") !== null;
}

function renew() {
  if (due !== null || document.hidden) return;
  due = setTimeout(() => {
    due = null;
    last = Date.now();
    if (!isHeld()) htmx.trigger(document.body, "facts");
  }, Math.max(0, last + RENEW_AT_MOST_EVERY - Date.now()));
}

function tell(nowLost) {
  if (isLost && !nowLost) renew();
  isLost = nowLost;
  lost.hidden = !nowLost;
}

// fetch and not EventSource: that listens to kinds it knows by name only, and hides why it was refused.
async function follow(address) {
  let cursor = "";
  for (;;) {
    const silence = new AbortController();
    let watch = setTimeout(() => silence.abort(), SILENT_FOR_TOO_LONG);
    try {
      const answer = await fetch(address, {headers: cursor ? {"Last-Event-ID": cursor} : {}, cache: "no-store", signal: silence.signal});
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      tell(false);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let kept = "";
      for (;;) {
        const {done, value} = await reader.read();
        if (done) break;
        clearTimeout(watch);
        watch = setTimeout(() => silence.abort(), SILENT_FOR_TOO_LONG);
        const lines = (kept + value).split("\n");
        kept = lines.pop();
        for (const line of lines) if (line.startsWith("id: ")) cursor = line.slice(4);
        if (lines.some(line => line.startsWith("event: "))) renew();
      }
    } catch (error) {
      tell(true);
    } finally {
      clearTimeout(watch);
    }
    await new Promise(again => setTimeout(again, AGAIN_AFTER));
  }
}

function told(seconds) {
  const whole = Math.max(0, Math.round(seconds)), two = n => String(n).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)}`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes % 60)}` : `${hours} h`;
}

setInterval(() => {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const text = told((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}, 1000);

// What a person opened, marked or filled in is theirs.
Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  !(name === "open" && node.matches("details")) && !(name === "checked" && node.matches("input"));

document.addEventListener("change", event => {
  if (!event.target.matches("[data-marks]")) return;
  for (const mark of event.target.closest("form").querySelectorAll("input[name=ids]")) mark.checked = event.target.checked;
});

document.addEventListener("keydown", event => {
  const search = document.querySelector("[data-search]");
  if (event.key !== "/" || !search || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  search.focus();
});

// A button that is to send its form as a browser does, within one that htmx sends.
document.addEventListener("click", event => {
  const button = event.target.closest("[data-plain]");
  if (!button) return;
  event.preventDefault();
  button.disabled = true;
  const form = button.form;
  form.action = button.getAttribute("formaction");
  HTMLFormElement.prototype.submit.call(form);
});

// A refusal is a page too: it is shown where the answer was to be, or in place of everything.
document.addEventListener("htmx:beforeSwap", event => {
  const {xhr} = event.detail;
  if (xhr.status < 400 || xhr.status === 401) return;
  event.detail.shouldSwap = event.detail.requestConfig.verb === "post";
  if (event.detail.shouldSwap) event.detail.selectOverride = "#main > *";
});
document.addEventListener("htmx:sendError", () => tell(true));
document.addEventListener("htmx:afterOnLoad", () => { if (isLost) tell(false); });
document.addEventListener("visibilitychange", renew);
setInterval(renew, LOOK_ANYWAY_EVERY);

const stream = document.body.dataset.stream;
if (stream) follow(stream);
