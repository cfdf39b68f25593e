// The words of the interface, in six languages.

const LANGUAGES = { en: "English", zh: "中文", fr: "Français", ar: "العربية", es: "Español", hi: "हिन्दी" };
let messages = {};
let locale = "en";

/** Take up a language; every word made after this is in it. */
function speak(language) {
  locale = language;
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
}

/** The language asked for in the address, else the page's own, else the reader's where it is one of ours. */
function preferred(asked) {
  const wished = [asked, document.documentElement.dataset.lang, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((language) => language in LANGUAGES) || "en";
}

function entryOf(key) {
  return (messages[locale] || {})[key] ?? (messages.en || {})[key] ?? key;
}

/**
 * The message `key`, with `{name}` replaced from `args`; of several forms the one that `args.n` takes in the language.
 * A list becomes one in words. Strings are set apart, so that their direction cannot change the sentence's: what comes
 * of this is ours, and goes into an element as it is; `name`, `shown` and `plain` would show the marks that set apart.
 */
function t(key, args = {}) {
  const entry = entryOf(key);
  const form = typeof entry === "string" ? entry : (entry[new Intl.PluralRules(locale).select(args.n)] ?? entry.other);
  return form.replace(/\{(\w+)\}/g, (whole, slot) => (slot in args ? inSentence(args[slot]) : whole));
}

function inSentence(value) {
  if (typeof value === "number") return count(value);
  return Array.isArray(value) ? joined(value.map(isolated)) : isolated(value);
}

// In Arabic a mark stands before a number's sign; what is set apart needs none.
const SIGN_MARK = /\u200e(?=[+\u2212]\d)/g;

/** A word from outside within a text of ours, kept apart from the direction of what surrounds it. */
function isolated(text) {
  return "\u2068" + plain(String(text).replace(SIGN_MARK, "")) + "\u2069";
}

// -- what stands between the parts of a list: of things, of what is said of one thing, of sentences

/** Texts as one, those that are empty left out. */
function joined(texts, key = "join_list") {
  return texts.filter(Boolean).join(between(key));
}

/** The same of nodes, as nodes. */
function joinedNodes(nodes, key = "join_list") {
  return nodes.filter(Boolean).flatMap((node, at) => [at ? between(key) : "", node]);
}

function between(key) {
  return entryOf(key).replace(/\{\w+\}/g, "");
}

/** A language's name in the language of the interface; the code where it has none. */
function languageName(code) {
  if (code === "und") return t("language_undetermined"); // browsers call it the root of all languages
  try {
    return new Intl.DisplayNames([locale], { type: "language" }).of(code) || code;
  } catch {
    return code;
  }
}
