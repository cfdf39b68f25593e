// From the address to a view.

const MOST_WAIT_MS = 2000;

const left = new Map(); // by entry of the history: how far down the reader was when leaving it, and on which control
let shownEntry = "";
let turn = 0;
let rest = null;

async function boot() {
  try {
    const found = unpack("board");
    found.catch(() => {}); // it is waited for below
    messages = await unpack("messages");
    speak(preferred(""));
    board = await found;
    Object.assign(board, { families: [], tasks: [], comparisons: [], judgings: [], cards: [] });
    rest = unpack("rest").then((found) => Object.assign(board, found));
    history.scrollRestoration = "manual";
    window.addEventListener("hashchange", arrive);
    document.addEventListener("keydown", keys);
    document.getElementById("skip").addEventListener("click", skip);
    await arrive();
    await rest;
    shell(views.get(place().view)); // now it is known which views there are
  } catch (error) {
    const what = String(error.message || error);
    const said = messages.en ? t("page_damaged", { what }) : "✗ " + what;
    document.getElementById("main").replaceChildren(el("p", { class: "notice", role: "alert" }, said));
  }
}

/** To the content, and not to another address. */
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

/** The leaderboard is shown before the rest of the data is unpacked; every other view waits for it. */
async function arrive() {
  if (!board.runs.length || !/^#?(board)?(&|$)/.test(location.hash)) await rest;
  await route();
}

async function route() {
  const mine = ++turn;
  const here = place();
  const isFirst = shownHash === null;
  const sameView = !isFirst && place(shownHash).view === here.view;
  speak(preferred(here.params.get("ui")));
  const one = views.get(here.view);
  const root = el("section", { class: "view", id: "view-" + one.id, "aria-labelledby": "title" });
  root.append(el("h2", { id: "title", tabindex: "-1" }, t(one.title)));
  let tables = null;
  try {
    tables = await one.show(root, here.params);
  } catch (error) {
    root.append(el("p", { class: "notice", role: "alert" }, t("damaged", { what: String(error.message || error) })));
  }
  if (mine !== turn) return; // the reader has gone on
  if (tables) root.append(downloads(tables, one.id));
  const seen = looked();
  if (!isFirst) left.set(shownEntry, seen);
  shell(one);
  document.getElementById("main").replaceChildren(root);
  document.title = root.querySelector("h2").textContent + " · " + plain(board.title);
  shownHash = location.hash;
  shownEntry = entryNow();
  if (sameView) stay(seen);
  else arriveAt(left.get(shownEntry), isFirst);
}

/** Which entry of the history this is; a new one is numbered. */
function entryNow() {
  if (!history.state?.entry) history.replaceState({ entry: [Date.now(), turn].join("-") }, "");
  return history.state.entry;
}

/** What the reader looks at: how far down, on which control, where that is on the screen, how far tables are moved. */
function looked() {
  const control = document.activeElement;
  const moved = [...document.querySelectorAll("#main .scroll")].filter((region) => region.scrollLeft);
  return {
    down: window.scrollY,
    control: control?.id || "",
    caret: control?.type === "search" ? control.selectionStart : null,
    top: control ? control.getBoundingClientRect().top : 0,
    sideways: new Map(moved.map((region) => [region.getAttribute("aria-labelledby"), region.scrollLeft])),
  };
}

/** In a view that was made again, leave the reader on the control that they used, with it where it was. */
function stay({ control: id, caret, top, sideways }) {
  for (const region of document.querySelectorAll("#main .scroll")) {
    region.scrollLeft = sideways.get(region.getAttribute("aria-labelledby")) || 0;
    region.dispatchEvent(new Event("page-moved"));
  }
  const control = id ? document.getElementById(id) : null;
  if (!control) return arriveAt(left.get(shownEntry), false);
  control.focus({ preventScroll: true });
  if (caret !== null) control.setSelectionRange?.(caret, caret);
  window.scrollBy(0, control.getBoundingClientRect().top - top);
}

/** A new view is begun at its top; one that the back button brings again where it was left. */
function arriveAt(before, isFirst) {
  const control = before?.control ? document.getElementById(before.control) : null;
  if (!isFirst) (control || document.getElementById("title")).focus({ preventScroll: true });
  scrollDown(before?.down || 0, turn, performance.now() + MOST_WAIT_MS);
}

/** So far down, as soon as the page is that long: of long lists the end comes a moment later. */
function scrollDown(to, mine, until) {
  window.scrollTo(0, to);
  const reached = window.scrollY;
  if (Math.abs(reached - to) < 1 || performance.now() > until) return;
  setTimeout(() => {
    if (mine === turn && window.scrollY === reached) scrollDown(to, mine, until); // else the reader has gone on
  }, 30);
}

// -- what stands around a view

function shell(one) {
  document.getElementById("skip").textContent = t("skip");
  document.getElementById("page-title").replaceChildren(name(board.title));
  document.getElementById("summary").textContent = summary();
  const here = one.parent || one.id;
  const links = present().filter((other) => !other.parent);
  const nav = el(
    "nav",
    { "aria-label": t("views"), id: "views" },
    links.map((other) =>
      el("a", { href: address(other.id), "aria-current": other.id === here ? "page" : null }, t(other.title)),
    ),
  );
  document.getElementById("views").replaceWith(nav);
  document.getElementById("tongue").replaceWith(tongue());
  document
    .getElementById("footer")
    .replaceChildren(
      el("p", {}, t("footer", { version: board.evalsuite })),
      ...[ledgerLine()].filter(Boolean),
      ...canary(),
    );
}

function summary() {
  const found = [];
  if (board.runs.length) {
    const samples = board.runs.reduce((sum, run) => sum + run.counts.requested, 0);
    found.push(
      t("runs", { n: board.runs.length }),
      t("tasks", { n: new Set(board.columns.flatMap((column) => column.tasks)).size }),
      t("samples", { n: samples }),
    );
  }
  if (board.preference) found.push(t("votes", { n: board.preference.counts.num_votes }));
  if (board.published.length) found.push(t("published_tables", { n: board.published.length }));
  if (board.cards.length) found.push(t("judge_cards_counted", { n: board.cards.length }));
  return found.join(" · ");
}

function canary() {
  return board.runs.length && board.samples_kept !== "none" ? [el("p", {}, t("canary"))] : [];
}

function tongue() {
  const select = el("select", { id: "tongue", "aria-label": t("language_of_page") });
  for (const [code, own] of Object.entries(LANGUAGES))
    select.append(el("option", { value: code, lang: code, selected: code === locale }, own));
  select.addEventListener("change", () => go(changed({ ui: select.value })));
  return select;
}

/** Keys of a view: it listens for "evalsuite-key" on the document while it is shown. */
function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  document.getElementById("main").firstElementChild?.dispatchEvent(new CustomEvent("page-key", { detail: event.key }));
}

boot();
