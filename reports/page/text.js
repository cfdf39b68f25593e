// Text and elements. Every word from outside becomes a text node: nothing is ever parsed as HTML.

// Controls, bidirectional overrides and unseen characters, lone surrogates, and code points that are no characters;
// joiners are left, text needs them. The same as in evalsuite/text/visible.py.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}|\p{NChar}/gu;
const SVG = "http://www.w3.org/2000/svg";

/** What stands for an unseen character. */
function codePoint(char) {
  return "⟨U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩";
}

/** `text` with unseen characters written out, as a string. */
function plain(text) {
  return String(text).replace(UNSEEN, codePoint);
}

/** `text` as nodes, unseen characters marked. */
function shown(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    nodes.push(text.slice(from, match.index), el("span", { class: "unseen", dir: "ltr" }, codePoint(match[0])));
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** An element; children are nodes, strings, nothing, or lists of these. Attributes of null or false are left out. */
function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Put nodes, strings, nothing, or lists of these at the end of an element. */
function add(element, ...children) {
  return fill(element, {}, children);
}

/** An element of SVG. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A name from outside, kept apart from the direction of what surrounds it. */
function name(text, attributes = {}) {
  return el("bdi", attributes, shown(text));
}

/** A name on a line of its own, as it stands at the head of a row. */
function headName(text) {
  return el("span", { class: "called" }, name(text));
}

/** Names from outside as a list in words. */
function namesList(texts) {
  return joinedNodes(texts.map((text) => name(text)));
}

/** A text in a language of its own. */
function prose(text, language, tag = "div", kind = "text") {
  return el(
    tag,
    { class: kind, lang: language || null, dir: "auto" },
    text === "" ? el("i", {}, t("empty")) : shown(text),
  );
}

/** A text of ours that there is in English alone, whatever the language of the interface. */
function english(text) {
  return el("bdi", { class: "english", lang: "en", dir: "ltr" }, shown(text));
}

/** What only a screen reader says: a text, or nodes. */
function unseen(words) {
  return el("span", { class: "hidden" }, words);
}
