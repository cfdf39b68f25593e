"use strict";
// One sample as elements. Every word of it becomes a text node: nothing is ever parsed as HTML.
const SampleView = (() => {
  const MARKS = { right: "✓", wrong: "✗", answered: "○", unscored: "△", cancelled: "△", "not run": "△" };
  // Controls, bidirectional overrides and unseen characters, and lone surrogates; joiners are left, text needs them.
  const UNSEEN =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}|\p{NChar}/gu;

  // -- text and elements

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

  function codePoint(char) {
    return "⟨U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩";
  }

  function el(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.flat().filter((child) => child !== null && child !== ""));
    return element;
  }

  function prose(text, language, tag = "div", kind = "text") {
    return el(tag, { class: kind, lang: language, dir: "auto" }, text === "" ? el("i", {}, "empty") : shown(text));
  }

  function status(sample) {
    const kind = sample.status.replace(" ", "-");
    return el("span", { class: "status " + kind }, (MARKS[sample.status] || "△") + " " + sample.status);
  }

  function flags(sample) {
    return sample.flags.map((flag) => el("span", { class: "badge flag" }, shown(flag)));
  }

  function turns(prompt) {
    return typeof prompt === "string" ? [["", prompt]] : prompt;
  }

  // -- one sample

  function body(sample, runName, others) {
    return [
      el("p", { class: "verdict" }, status(sample), ...flags(sample), ...cause(sample)),
      facts(sample, runName, others),
      ...sample.exchanges.flatMap((exchange, turn) => exchangeView(sample, exchange, turn)),
      ...answerView(sample),
      ...scoresView(sample),
    ];
  }

  function cause(sample) {
    if (!sample.cause.name) return [];
    return [el("span", { class: "warning" }, shown(sample.cause.name + (sample.cause.detail ? ": " + sample.cause.detail : "")))];
  }

  function facts(sample, runName, others) {
    const rows = [
      ["Model", shown(runName)],
      ["Task", shown(sample.task)],
      ["Language", shown(sample.language)],
      ["Category", shown(sample.category || "none")],
      ["Cluster", shown(sample.cluster)],
      ...Object.entries(sample.metadata).map(([name, value]) => [name, prose(value, sample.promptLanguage, "span", "fact")]),
      ...(others.length
        ? [["Also in", others.map((other) => el("a", { href: other.href, class: "other" }, shown(other.name)))]]
        : []),
    ];
    return el(
      "dl",
      { class: "facts" },
      rows.map(([name, value]) => el("div", {}, el("dt", {}, shown(name)), el("dd", {}, el("bdi", {}, value)))),
    );
  }

  function exchangeView(sample, exchange, turn) {
    const numbered = sample.exchanges.length > 1 ? " " + (turn + 1) : "";
    const heading = el("summary", {}, el("h3", {}, "Prompt" + numbered + ", as sent"));
    const prompt = el("details", { class: "prompt" }, heading, ...turns(exchange.prompt).map((part) => message(sample, part)));
    prompt.open = turn === 0;
    if (exchange.kind === "choices") return [prompt, choicesView(sample, exchange)];
    if (exchange.settings) {
      const stops = exchange.stop.length ? exchange.stop.map((stop) => JSON.stringify(stop)).join(" ") : "none";
      prompt.append(el("p", { class: "quiet" }, shown(exchange.settings + ", stop strings " + stops)));
    }
    return [prompt, el("h3", {}, "Answer" + numbered), ...replyView(sample, exchange.reply)];
  }

  function message(sample, [role, content]) {
    const text = prose(content, role === "assistant" ? sample.language : sample.promptLanguage);
    return role === "" ? text : el("div", { class: "message" }, el("span", { class: "role" }, shown(role)), text);
  }

  function replyView(sample, reply) {
    if (!reply) return [el("p", { class: "warning" }, "No answer.")];
    if (reply.kind === "failure") {
      const said = [reply.cause, reply.http, reply.detail].filter(Boolean).join(": ");
      return [el("p", { class: "warning" }, shown("Not answered. " + said))];
    }
    if (reply.kind === "loglikelihood") {
      const over = reply.numTokens ? " over " + reply.numTokens + " tokens" : "";
      return [el("p", {}, reply.sum + " nats" + over + ", " + reply.perChar + " per character")];
    }
    const whys = { stop: "a stop string", end: "its own end token", length: "the limit on tokens", refusal: "a refusal" };
    const why = whys[reply.stopReason];
    const said = why
      ? `Ended by ${why}; ${reply.numTokens} tokens after ${reply.numPromptTokens} of prompt.`
      : "Imported: why it ended, and how many tokens it has, is not known.";
    return [prose(reply.text, sample.language, "div", "text answer"), el("p", { class: "quiet" }, said)];
  }

  function choicesView(sample, exchange) {
    const heads = ["Choice, as sent", "Log-likelihood, nats", "per character", "tokens"];
    return el(
      "div",
      { class: "scroll", role: "region", "aria-label": "Choices", tabindex: "0" },
      el(
        "table",
        { class: "choices" },
        el("caption", {}, "Choices and their log-likelihoods"),
        el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, exchange.rows.map((row) => choiceRow(sample, row))),
      ),
    );
  }

  function choiceRow(sample, row) {
    const reply = row.reply || {};
    const numbers = reply.kind === "loglikelihood" ? [reply.sum, reply.perChar, String(reply.numTokens || "–")] : null;
    const why = reply.kind === "failure" ? [reply.cause, reply.detail].filter(Boolean).join(": ") : "no answer";
    return el(
      "tr",
      { class: (row.isGold ? "gold " : "") + (row.isPicked ? "picked" : "") },
      el(
        "th",
        { scope: "row" },
        row.isGold ? el("span", { class: "mark gold" }, "✓ right answer") : null,
        row.isPicked ? el("span", { class: "mark picked" }, "● picked") : null,
        prose(row.text, sample.language, "span", "choice"),
      ),
      numbers
        ? numbers.map((text) => el("td", { class: "number" }, text.replace("-", "−")))
        : el("td", { colspan: "3", class: "warning" }, shown(why)),
    );
  }

  function answerView(sample) {
    const parts = [];
    const isChoice = sample.exchanges.some((exchange) => exchange.kind === "choices");
    if (sample.target && !isChoice) parts.push(el("h3", {}, "Reference"), prose(sample.target, sample.language));
    const last = (sample.exchanges.at(-1) || {}).reply;
    const isWhole = last && last.text && last.text.trim() === sample.answer.trim();
    if (sample.answer && !isChoice && !isWhole) {
      parts.push(el("h3", {}, "Answer as read"), prose(sample.answer, sample.language));
    }
    if (sample.explanation) parts.push(el("h3", {}, "Explanation"), prose(sample.explanation, sample.language));
    return parts;
  }

  function scoresView(sample) {
    if (!sample.scores.length) return [];
    const rows = sample.scores.map((score) => el("div", {}, el("dt", {}, shown(score.name)), el("dd", {}, score.counts)));
    return [el("h3", {}, "Counts that enter each metric"), el("dl", { class: "facts" }, rows)];
  }

  return { MARKS, UNSEEN, codePoint, el, shown, prose, status, flags, turns, body };
})();
