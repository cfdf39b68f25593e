// Where the reader is: a view and its settings, all in the address, so that a link shows what was seen.

const views = new Map();
let shownHash = null; // the address of what is shown

/**
 * Register a view. `has(board)` says whether there is anything to show; `show(root, params)` fills an empty element and
 * may be async; `title` and `parent` are a message's key and the view under whose name it stands in the navigation.
 * `show` may return tables to download, or a function that makes them: see exports.js.
 */
function view(id, { title, has = () => true, show, parent = null }) {
  views.set(id, { id, title, has, show, parent });
}

/** The views that this page has. */
function present() {
  return [...views.values()].filter((one) => one.has(board));
}

/** The view and the settings of an address; an unknown view is the first one. */
function place(hash = location.hash) {
  const [first, ...rest] = hash.replace(/^#/, "").split("&");
  const params = new Map();
  for (const part of rest) {
    const [key, value = ""] = part.split("=");
    try {
      params.set(decodeURIComponent(key), decodeURIComponent(value));
    } catch {
      // an address that was cut short: what cannot be read is left out
    }
  }
  const known = views.get(first);
  return { view: known && known.has(board) ? first : present()[0].id, params };
}

/** The address of `view` with `params`, of which empty ones are left out; the language of the interface goes along. */
function address(id, params = {}) {
  const found = { ...params };
  const ui = place().params.get("ui");
  if (ui && !("ui" in found)) found.ui = ui;
  const parts = Object.entries(found)
    .filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([key, value]) => encodeURIComponent(key) + "=" + encodeURIComponent(wellFormed(value)));
  return "#" + [id, ...parts].join("&");
}

/** `value` as a text without halves of characters, of which an address can hold none. */
function wellFormed(value) {
  return String(value).replace(/\p{Cs}/gu, "\ufffd");
}

/** The address of the view shown now with some settings changed. */
function changed(changes) {
  const here = place();
  return address(here.view, { ...Object.fromEntries(here.params), ...changes });
}

/** Go there, as a step that the back button undoes. */
function go(hash) {
  location.hash = hash;
}

/** Note settings in the address without leaving: for what is typed. */
function note(changes) {
  history.replaceState(history.state, "", changed(changes));
  shownHash = location.hash;
}
