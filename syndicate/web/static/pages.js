// What pages can do with JavaScript: keys, live news, copying an address. Without it, all else works.
"use strict";

const KEYS_OFF = "syndicate-keys-off"; // single keys can be switched off (WCAG 2.2, 2.1.4)

// ------------------------------------------------------------ keys

const stories = () => [...document.querySelectorAll(".story")];

function step(by) {
  const all = stories();
  if (!all.length) return;
  const at = all.findIndex((story) => story.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function open_original() {
  const story = stories().find((each) => each.contains(document.activeElement));
  const link = (story || document).querySelector("a.original") || story?.querySelector(".headline a");
  if (link) window.open(link.href, "_blank", "noopener,noreferrer");
}

function search() {
  const field = document.querySelector("#text, input[type=search], form[role=search] select");
  if (field) field.focus();
}

const ACTIONS = {
  j: () => step(1),
  k: () => step(-1),
  o: open_original,
  "/": search,
  "?": () => document.getElementById("keys")?.showModal(),
};

function is_typing(target) {
  return target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}

document.addEventListener("keydown", (event) => {
  const action = ACTIONS[event.key];
  const is_plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!action || !is_plain || is_typing(event.target) || localStorage.getItem(KEYS_OFF)) return;
  event.preventDefault();
  action();
});

function offer_keys() {
  const box = document.getElementById("keys-on");
  if (!box) return;
  box.checked = !localStorage.getItem(KEYS_OFF);
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
  });
  document.querySelector(".keys-hint").classList.add("ready");
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
});

// ------------------------------------------------------------ copying

function offer_copying() {
  for (const button of document.querySelectorAll("button.copy")) {
    button.classList.toggle("ready", Boolean(navigator.clipboard)); // there is none without https, but on this machine
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const of = document.getElementById(button.dataset.copyOf);
  await navigator.clipboard.writeText(of ? of.textContent : button.dataset.copy);
  const words = button.innerHTML;
  button.textContent = "Copied";
  setTimeout(() => { button.innerHTML = words; }, 2000);
});

// ------------------------------------------------------------ the lab

// What was wrong is marked behind the text, and no longer once that is edited.
document.addEventListener("input", (event) => {
  if (event.target.id === "text") document.getElementById("wrong")?.replaceChildren();
});
document.addEventListener("scroll", (event) => {
  const marks = document.getElementById("wrong");
  if (event.target.id === "text" && marks) marks.scrollTop = event.target.scrollTop;
}, true);

// What was asked for and did not come is said, where it would have been.
function say_failed(event, why) {
  const target = event.detail.target;
  if (target?.id !== "found") return;
  const said = document.createElement("p");
  said.className = "problem";
  said.setAttribute("role", "alert");
  said.textContent = why;
  target.replaceChildren(said);
}
document.addEventListener("htmx:sendError", (event) => say_failed(event, "The service does not answer just now. What you typed is still here: try it again in a moment."));
document.addEventListener("htmx:responseError", (event) => {
  const why = {
    401: "Your session has ended. Log in in another tab, then go on here: what you typed is still here.",
    403: "The service has been started anew since this page was opened. Reload the page: what you typed stays.",
    400: "That cannot be tried: it names something that is not there any more. Reload the page.",
  };
  say_failed(event, why[event.detail.xhr.status]
    || "The service could not answer that. What you typed is still here: try it again in a moment.");
});

// ------------------------------------------------------------ live

let source = null;

function listen() {
  const news = document.getElementById("news");
  source?.close();
  if (!news) return;
  source = new EventSource(news.dataset.live);
  source.addEventListener("stories", (event) => {
    const link = news.querySelector("a");
    const count = Number(event.data);
    link.textContent = `${count >= 100 ? "100 or more" : count} new`;
    link.hidden = !count;
  });
}

document.addEventListener("htmx:oobAfterSwap", listen);
document.addEventListener("htmx:load", (event) => {
  // The link that brought stories is gone, so whoever goes by keys goes on with the first of them.
  if (event.detail.elt.matches?.("ol.stories")) {
    event.detail.elt.querySelector(".story")?.focus({ preventScroll: true });
  }
});
// A browser has six connections to a server, for all of its tabs: those that nobody sees let go of theirs.
document.addEventListener("visibilitychange", () => (document.hidden ? source?.close() : listen()));
window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", () => { if (!document.hidden) listen(); });

document.addEventListener("htmx:load", offer_copying);
offer_keys();
offer_copying();
