// Texts of any length: the beginning at once, and the rest step by step when it is asked for, so that the page stays quick.

const LONG_TEXT = 12000;
const TEXT_STEP = 50000;

/** A place at or a little before `at` where a text may be cut: a line's end, else a word's, and never within a character. */
function cutPlace(text, at) {
  if (at >= text.length) return text.length;
  const from = Math.max(1, at - 200);
  const line = text.lastIndexOf("\n", at - 1);
  if (line >= from) return line + 1;
  const space = text.slice(from, at).search(/\s\S*$/);
  if (space >= 0) return from + space + 1;
  let place = at;
  while (place > from && isInside(text, place)) place -= 1;
  return place;
}

/** Whether `place` lies between two halves of a character, or between a letter and its mark. */
function isInside(text, place) {
  return /^[\udc00-\udfff\p{M}\u200d]/u.test(text.slice(place, place + 2)) || text[place - 1] === "\u200d";
}

/** The beginning of a text, of about `most` characters. */
function excerptOf(text, most = 200) {
  return text.length > most ? text.slice(0, cutPlace(text, most)).trimEnd() + " …" : text;
}

/**
 * A text in a language of its own, cut where it is long, with a button that appends the rest. `marked` is a stretch
 * `{from, to, label}` of it that is set off, and said to be what `label` says.
 */
function longProse(text, language, { kind = "text", marked = null } = {}) {
  if (text === "") return [prose(text, language, "div", kind)];
  const end = text.length > LONG_TEXT ? cutPlace(text, LONG_TEXT) : text.length;
  const box = el("div", { class: kind, lang: language || null, dir: "auto" });
  box.append(...textStretch(text, 0, end, marked));
  return end === text.length ? [box] : [box, showAll(box, text, end, marked)];
}

function showAll(box, text, from, marked) {
  const words = () => t("show_all_text", { n: text.length - from });
  const button = el("button", { type: "button", class: "more-text" }, words());
  const step = () => {
    if (!button.isConnected) return; // the reader has gone on
    const end = cutPlace(text, from + TEXT_STEP);
    const piece = el("div", { class: "piece" });
    piece.append(...textStretch(text, from, end, marked));
    box.append(piece);
    from = end;
    button.textContent = words();
    if (from < text.length) setTimeout(step);
    else button.remove();
  };
  button.addEventListener("click", () => {
    button.disabled = true;
    box.tabIndex = -1;
    box.focus({ preventScroll: true });
    step();
  });
  return button;
}

/** A stretch of a text as nodes, with what of the marked part lies in it. */
function textStretch(text, from, to, marked) {
  if (!marked || marked.from >= to || marked.to <= from) return shown(text.slice(from, to));
  const [start, end] = [Math.max(from, marked.from), Math.min(to, marked.to)];
  const mark = el(
    "mark",
    {},
    shown(text.slice(start, end)),
    end === marked.to ? unseen(" (" + marked.label + ")") : null,
  );
  return [...shown(text.slice(from, start)), mark, ...shown(text.slice(end, to))];
}

/** Where `answer` stands in `text` as a whole word or number, the last time; null where it does not, or is all of it. */
function placeOfAnswer(text, answer) {
  const wanted = answer.trim();
  if (wanted === "" || wanted === text.trim()) return null;
  for (
    let at = text.lastIndexOf(wanted), tries = 0;
    at >= 0 && tries < 1000;
    at = at ? text.lastIndexOf(wanted, at - 1) : -1, tries += 1
  ) {
    const end = at + wanted.length;
    if (
      !isJoined(text.slice(Math.max(0, at - 2), at), wanted[0]) &&
      !isJoined(reversedText(text.slice(end, end + 2)), wanted.at(-1))
    )
      return { from: at, to: end };
  }
  return null;
}

function reversedText(text) {
  return [...text].reverse().join("");
}

/** Whether a word or number goes on across the border between `beyond`, seen from outside, and `edge`. */
function isJoined(beyond, edge) {
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(edge)) return false;
  if (/\p{N}/u.test(edge)) return /[\p{N}]$|\p{N}[.,\u066b\u066c]$|[A-Za-z]$/u.test(beyond);
  return /[\p{L}\p{M}]/u.test(edge) && /[\p{L}\p{N}\p{M}]$/u.test(beyond);
}
