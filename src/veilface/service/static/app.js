// The page of the service: nothing is kept, nothing is fetched from elsewhere.
"use strict";

const $ = (id) => document.getElementById(id);
const tabs = [...document.querySelectorAll("[role=tab]")];

function select(tab) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    $(one.getAttribute("aria-controls")).hidden = !chosen;
  }
}

tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => select(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    select(next);
    next.focus();
  });
});

for (const place of document.querySelectorAll(".drop")) {
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer.files.length) $(place.dataset.input).files = event.dataTransfer.files;
  });
}

async function ask(path, form) {
  const token = $("token").value.trim();
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response, answer;
  try {
    response = await fetch(path, { method: "POST", body: new FormData(form), headers });
    answer = await response.json(); // a proxy in front of the service may answer with a page
  } catch {
    throw new Error("the service cannot be reached");
  }
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function handle(name, show) {
  const form = $(`${name}-form`);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const status = $(`${name}-status`);
    const result = $(`${name}-result`);
    button.disabled = true;
    result.hidden = true;
    status.className = "";
    status.textContent = "Working …";
    try {
      const answer = await ask(form.dataset.path, form);
      show(answer);
      status.textContent = "";
      result.hidden = false;
      result.querySelector("h2").focus();
    } catch (error) {
      status.className = "wrong";
      status.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}

function cell(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

let source = null;

function showProtected(answer) {
  if (source) URL.revokeObjectURL(source);
  source = URL.createObjectURL($("photo").files[0]);
  $("before").src = source;
  const whole = `data:${answer.media_type};base64,${answer.pasted}`;
  $("after").src = whole;
  $("download").href = whole;
  const faces = answer.faces.map((face, at) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.src = `data:${answer.media_type};base64,${face.image}`;
    image.alt = `Protected face ${at + 1}`;
    const scores = Object.entries(face.similarity).map(([name, s]) => `${name} ${s.toFixed(3)}`);
    const link = cell("a", `Download face ${at + 1}`);
    link.href = image.src;
    link.download = `face-${at + 1}.veil.png`;
    const words = document.createElement("div");
    words.append(cell("p", `Similarity to the source: ${scores.join(", ")}`), link);
    item.append(image, words);
    return item;
  });
  $("faces").replaceChildren(...faces);
}

function showVerified(answer) {
  $("decision").textContent =
    answer.match === null ? "No decision" : answer.match ? "Match" : "No match";
  const rows = answer.results.map((one) => {
    const row = document.createElement("tr");
    const name = cell("th", one.recognizer);
    name.scope = "row";
    const part = one.took_part ? " (the image was made against it)" : "";
    const threshold = one.threshold === null ? "–" : one.threshold.toFixed(4);
    row.append(name, cell("td", one.score.toFixed(4)), cell("td", threshold),
      cell("td", one.decision + part));
    return row;
  });
  $("rows").replaceChildren(...rows);
}

handle("protect", showProtected);
handle("verify", showVerified);
