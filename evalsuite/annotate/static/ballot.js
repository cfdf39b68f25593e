// One pair with its questions: keys, time, and what was read to its end. The online page and the offline packet share it.
"use strict";
const ballotOf = (form) => {
  const asks = [...form.querySelectorAll(".ask")];
  const preference = asks.find((ask) => ask.dataset.name === "choice");
  const qualities = form.querySelector(".qualities");
  const radios = (ask) => [...ask.querySelectorAll("input[type=radio]")];
  const isAnswered = (ask) => radios(ask).some((radio) => radio.checked);
  const following = () => asks.find((ask) => !isAnswered(ask)) || null;
  let current = following() || asks[0]; // what was answered before is gone through from its beginning

  const show = () => {
    // quality is asked after the preference, or before it where the study says so
    if (qualities && asks[0] === preference) qualities.hidden = !isAnswered(preference);
    asks.forEach((ask) => ask.classList.toggle("current", ask === current));
  };
  const goTo = (ask) => {
    current = ask;
    show();
    if (current) current.scrollIntoView({ block: "nearest" });
  };
  const choose = (ask, index) => {
    const radio = radios(ask)[index];
    if (!radio) return;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    goTo(asks[asks.indexOf(ask) + 1] || null); // after the last, numbers change nothing until Backspace goes back
  };
  form.addEventListener("change", () => goTo(following()));
  show();

  // A number is a place from the left (or from the top), in every language. Says whether the key was one of ours.
  const press = (event) => {
    const isText = event.target.matches("textarea, input:not([type=radio])");
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isText) return false;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code); // whatever the layout writes there
    if (digit && current) choose(current, Number(digit[1]) - 1);
    else if (event.key.startsWith("Arrow") && event.target.closest(".quality")) return false; // they move within it
    else if (event.key === "ArrowLeft") choose(preference, 0);
    else if (event.key === "ArrowRight") choose(preference, 1);
    else if (event.key === "Backspace") goTo(asks[Math.max(0, (current ? asks.indexOf(current) : asks.length) - 1)]);
    else if (event.key === "Enter" && !event.target.matches("button, a, summary")) {
      form.requestSubmit(form.querySelector("button[value=vote]"));
    } else return false;
    event.preventDefault();
    return true;
  };

  // How long the pair was looked at while the page was seen, and whether both answers were read to their ends.
  let seconds = 0;
  let since = null;
  const watch = (isSeen) => {
    if (since !== null) seconds += (performance.now() - since) / 1000;
    since = isSeen && document.visibilityState === "visible" ? performance.now() : null;
  };
  const seen = { left: false, right: false };
  const ends = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) seen[entry.target.closest(".answer").dataset.side] = true;
  });
  form.querySelectorAll(".answer .end").forEach((end) => ends.observe(end));
  const observed = () => ({
    seconds: (seconds + (since === null ? 0 : (performance.now() - since) / 1000)).toFixed(3),
    seen_left: seen.left ? "1" : "0",
    seen_right: seen.right ? "1" : "0",
    layout: matchMedia("(max-width: 48rem)").matches ? "stacked" : "columns",
  });
  return { press, watch, observed, refresh: () => goTo(following() || asks[0]) };
};
