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

/**
 * The message `key`, with `{name}` replaced from `args`; of several forms the one that `args.n` takes in the language.
 * Strings from outside are set apart, so that their direction cannot change the sentence's.
 */
function t(key, args = {}) {
  const entry = (messages[locale] || {})[key] ?? (messages.en || {})[key] ?? key;
  const form = typeof entry === "string" ? entry : entry[new Intl.PluralRules(locale).select(args.n)] ?? entry.other;
  return form.replace(/\{(\w+)\}/g, (whole, slot) => (slot in args ? inSentence(args[slot]) : whole));
}

function inSentence(value) {
  // What stands before a minus in Arabic numbers is not needed inside of isolates.
  return typeof value === "number" ? count(value) : "\u2068" + plain(String(value).replace(/^\u200e/, "")) + "\u2069";
}

/** A language's name in the language of the interface; the code where it has none. */
function languageName(code) {
  try {
    return new Intl.DisplayNames([locale], { type: "language" }).of(code) || code;
  } catch {
    return code;
  }
}
