"use strict";
// Songs in, predictions out. Texts go in as text, never as HTML, so that no name of a file is taken for markup.

const { page, first, maxMib } = document.body.dataset;
const POLES = { valence: ["negative", "positive"], arousal: ["calm", "excited"] }, NEUTRAL = 0.1; // up to it, of 1
const POLL_MS = 400, KEEP_MS = 60000, TRAIL_S = 10; // asked while songs are computed; else, so that the page is kept
const MOST_TICKS = 4; // as many times fit a phone
const songs = new Set();
const byId = (id) => document.getElementById(id);
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const number = (value) => value.toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", "−");
const words = (name) => name.replaceAll("_", " ");
let timer, count = 0;

function element(name, attributes = {}, parent = null) {
  const svg = ["svg", "path", "line", "rect", "circle", "text"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") made.textContent = value;
    else made.setAttribute(key, value);
  }
  parent?.append(made);
  return made;
}

async function ask(address, options) {
  const answer = await fetch(`${page}/${address}`, options);
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

// Songs come by dropping, choosing and recording.

function addAll(files) {
  byId("message").textContent = "";
  for (const file of files) add(file);
}

async function add(file) {
  const song = new Song(file);
  songs.add(song);
  try {
    if (file.size > maxMib * 2 ** 20) throw new Error(`The file has more than ${maxMib} MiB.`);
    const answer = await ask(`songs?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    song.key = (await answer.json()).key;
    refresh();
  } catch (error) {
    song.fail([error.message]);
  }
}

addEventListener("dragover", (event) => { event.preventDefault(); byId("drop").classList.add("over"); });
addEventListener("dragleave", () => byId("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  addAll(event.dataTransfer.files);
});
byId("files").addEventListener("change", (event) => { addAll(event.target.files); event.target.value = ""; });

let recorder = null;
byId("record").hidden = !(navigator.mediaDevices && window.MediaRecorder);
byId("record").addEventListener("click", async () => {
  if (recorder) return recorder.stop();
  try {
    const unprocessed = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }; // it is music
    const stream = await navigator.mediaDevices.getUserMedia({ audio: unprocessed });
    const chunks = [], began = Date.now(), suffix = { "audio/ogg": "ogg", "audio/mp4": "m4a" };
    recorder = new MediaRecorder(stream);
    const say = () => { byId("record").textContent = `Stop recording (${clock((Date.now() - began) / 1000)})`; };
    const ticking = setInterval(say, 1000);
    recorder.ondataavailable = (event) => chunks.push(event.data);
    recorder.onstop = () => {
      const type = recorder.mimeType.split(";")[0];
      stream.getTracks().forEach((track) => track.stop());
      clearInterval(ticking);
      recorder = null;
      byId("record").textContent = "Record";
      addAll([new File(chunks, `recording ${++count}.${suffix[type] ?? "webm"}`, { type })]);
    };
    recorder.start();
    say();
  } catch (error) {
    byId("message").textContent = `Nothing can be recorded: ${error.message}`;
  }
});

// What the server has computed.

async function refresh() {
  clearTimeout(timer);
  let busy = false;
  try {
    const { loaded, songs: states } = await (await ask("songs")).json();
    for (const song of songs) if (states[song.key]) song.update(states[song.key], loaded);
    busy = Object.values(states).some((state) => state.done < state.of);
  } catch (error) {
    byId("message").textContent = error.message;
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, busy ? POLL_MS : KEEP_MS);
}

addEventListener("pagehide", () => navigator.sendBeacon(`${page}/leave`));
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

class Song {
  constructor(file) {
    this.node = byId("song").content.firstElementChild.cloneNode(true);
    this.name = file.name;
    this.shown = new Map(); // by paper, what it predicts
    this.errors = "";
    this.node.setAttribute("aria-label", file.name);
    this.find("h2").textContent = file.name;
    this.find(".status").textContent = "The song is sent.";
    this.find(".remove").setAttribute("aria-label", `Remove ${file.name}`);
    this.find(".remove").addEventListener("click", () => this.remove());
    this.audio = this.find("audio");
    this.audio.setAttribute("aria-label", file.name);
    this.address = URL.createObjectURL(file);
    this.audio.src = this.address;
    this.audio.addEventListener("timeupdate", () => this.move(this.audio.currentTime));
    this.audio.addEventListener("play", () => this.follow());
    this.audio.addEventListener("error", () => { this.audio.hidden = true; });
    this.find(".position").addEventListener("input", (event) => this.seek(Number(event.target.value)));
    byId("songs").append(this.node);
  }

  find(selector) { return this.node.querySelector(selector); }

  follow() {
    if (this.audio.paused) return;
    this.move(this.audio.currentTime);
    requestAnimationFrame(() => this.follow());
  }

  seek(seconds) {
    if (!this.audio.hidden) this.audio.currentTime = seconds;
    this.move(seconds);
  }

  fail(texts) {
    const joined = texts.join("\n");
    if (joined === this.errors) return; // what was announced is not announced again
    this.errors = joined;
    this.find(".errors").replaceChildren(...texts.map((text) => element("li", { text })));
    if (!this.key) this.finish("");
  }

  finish(text) {
    this.find(".status").textContent = text;
    this.find("progress").hidden = true;
  }

  update(state, loaded) {
    const progress = this.find("progress"), now = state.running.filter((name) => name !== "mel");
    progress.max = state.of;
    if (state.done) progress.value = state.done;
    const what = !loaded ? "The networks are being loaded." : now.length ? `Now: ${now.join(", ")}.` : "Waiting.";
    const status = `${state.done} of ${state.of} steps are done. ${what}`;
    if (state.done === state.of) this.finish(this.shown.size ? "All models are done." : "");
    else if (this.find(".status").textContent !== status) this.find(".status").textContent = status;
    this.fail(distinct(state.errors, (papers) => papers.includes(first)));
    const warnings = distinct(state.warnings, (papers) => papers.length === state.of - 1);
    this.find(".warnings").replaceChildren(...warnings.map((text) => element("li", { text })));
    for (const name of state.ready.filter((one) => !this.shown.has(one))) {
      this.shown.set(name, null);
      if (name === "mel") this.showMel();
      else this.show(name).catch((error) => this.fail([error.message]));
    }
  }

  showMel() {
    const image = this.find(".mel");
    image.src = `${page}/songs/${this.key}/mel.png`;
    image.hidden = false;
  }

  async show(paper) {
    const address = `songs/${this.key}/${paper}`;
    const of = await (await ask(`${address}.json`)).json();
    const prediction = { columns: of.model.columns, ...of.recordings[0] };
    this.shown.set(paper, prediction);
    const section = this.find(`[data-paper="${paper}"]`);
    for (const link of section.querySelectorAll("[data-kind]")) link.href = `${page}/${address}.${link.dataset.kind}`;
    section.hidden = false;
    if (section.dataset.overTime) {
      this.length = prediction.length_s;
      this.find(".position").max = this.length;
      drawCurves(section, prediction, (share) => this.seek(share * this.length));
      section.point = drawPath(section.querySelector(".plane"), prediction);
      this.move(this.audio.currentTime || 0);
    } else drawBars(section.querySelector("tbody"), prediction);
    compare();
  }

  move(seconds) {
    if (!this.length) return;
    for (const cursor of this.node.querySelectorAll(".cursor")) cursor.style.left = `${100 * Math.min(1, seconds / this.length)}%`;
    for (const section of this.node.querySelectorAll("[data-over-time=yes]")) section.point?.(seconds);
    const values = this.shown.get(first), position = this.find(".position");
    position.value = seconds;
    if (!values) return;
    const at = indexAt(values, seconds), [v, a] = [values.valence[at], values.arousal[at]].map(number);
    const text = `${clock(seconds)}: valence ${v}, arousal ${a}`;
    if (this.find(".now").textContent !== text) this.find(".now").textContent = text;
    position.setAttribute("aria-valuetext", text);
  }

  async remove() {
    this.audio.pause();
    URL.revokeObjectURL(this.address);
    this.node.remove();
    songs.delete(this);
    compare();
    byId("files").focus();
    if (this.key) await ask(`songs/${this.key}`, { method: "DELETE" });
  }
}

function distinct(texts, isGeneral) { // each text once, after the papers that say it, unless it is of the song
  const papers = new Map();
  for (const [paper, ones] of Object.entries(texts)) {
    for (const text of [ones].flat()) papers.set(text, [...(papers.get(text) ?? []), paper]);
  }
  return [...papers].map(([text, of]) => (isGeneral(of) ? text : `${of.join(", ")}: ${text}`));
}

const indexAt = ({ time_s }, seconds) => { // the value whose half second this is
  const after = time_s.findIndex((time) => time >= seconds);
  return after < 0 ? time_s.length - 1 : after;
};

const line = (xs, ys) => `M${xs.map((x, i) => `${x} ${ys[i]}`).join("L")}`;
const negated = (values) => values.map((value) => -value); // upwards in a picture

function drawCurves(section, one, seek) {
  const svg = section.querySelector(".curves"), [low, high] = [one.time_s[0], one.length_s], texts = [];
  svg.setAttribute("viewBox", `0 -1 ${high} 2`);
  element("line", { class: "zero", x1: 0, x2: high, y1: 0, y2: 0 }, svg);
  for (const name of one.columns) {
    if (one[`${name}_low`]) {
      const ends = [...one[`${name}_high`], ...one[`${name}_low`].toReversed()];
      element("path", { class: `of ${name}`, d: line([...one.time_s, ...one.time_s.toReversed()], negated(ends)) }, svg);
    }
    element("path", { class: `line ${name}`, d: line(one.time_s, negated(one[name])) }, svg);
    texts.push(`${name} ${number(one.mean[name])} on average, from ${number(Math.min(...one[name]))} to ${number(Math.max(...one[name]))}`);
  }
  svg.setAttribute("aria-label", `Over time: ${texts.join("; ")}; from ${clock(low)} to ${clock(high)}`);
  section.querySelector(".mean").textContent = inWords(one);
  const step = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900].find((seconds) => high <= MOST_TICKS * seconds) ?? 1800;
  const track = section.querySelector(".track"), ticks = section.querySelector(".ticks");
  for (let at = 0; at <= high; at += step) {
    element("span", { text: clock(at) }, ticks).style.left = `${(100 * at) / high}%`;
  }
  track.addEventListener("click", (event) => {
    const box = track.getBoundingClientRect();
    seek((event.clientX - box.left) / box.width);
  });
}

function inWords({ columns, mean, mean_high: high }) { // the mean of the song, and how sure its signs are
  const word = (name) => (Math.abs(mean[name]) < NEUTRAL ? "neutral" : POLES[name][Number(mean[name] > 0)]);
  const half = (name) => (high ? ` ± ${number(high[name] - mean[name])}` : "");
  const means = columns.map((name) => `${word(name)} in ${name} (${number(mean[name])}${half(name)})`).join(", ");
  if (!high) return `On average ${means}.`;
  const unsure = columns.filter((name) => high[name] - mean[name] > Math.abs(mean[name])).join(" and ");
  return `On average ${means}. ± holds the labels of 95 % of held-out songs${unsure && `, so the sign of ${unsure} is uncertain`}.`;
}

function plane(figure) {
  const svg = element("svg", { viewBox: "-1.18 -1.18 2.36 2.36", role: "img" });
  element("rect", { class: "box", x: -1, y: -1, width: 2, height: 2 }, svg);
  element("line", { class: "zero", x1: -1, x2: 1, y1: 0, y2: 0 }, svg);
  element("line", { class: "zero", x1: 0, x2: 0, y1: -1, y2: 1 }, svg);
  const labels = [["excited", 0, -1.06, 0], ["calm", 0, 1.14, 0], ["negative", -1.06, 0, -90], ["positive", 1.06, 0, 90]];
  for (const [text, x, y, turn] of labels) {
    element("text", { text, transform: `translate(${x} ${y}) rotate(${turn})`, "text-anchor": "middle" }, svg);
  }
  figure.replaceChildren(svg);
  return svg;
}

function drawPath(figure, one) { // returns a function that marks a time
  const svg = plane(figure), ys = negated(one.arousal), half = Math.round(TRAIL_S / 0.5);
  svg.setAttribute("aria-label", "The path of the song on the plane of valence and arousal");
  element("path", { class: "path", d: line(one.valence, ys) }, svg);
  element("circle", { class: "of-song", cx: one.mean.valence, cy: -one.mean.arousal, r: 0.05 }, svg);
  const trail = element("path", { class: "trail" }, svg), here = element("circle", { class: "here", r: 0.05 }, svg);
  element("figcaption", { text: `Valence to the right, arousal upwards. Ring: mean of the song; dot: now, with the last ${TRAIL_S} s.` }, figure);
  return (seconds) => {
    const at = indexAt(one, seconds), since = Math.max(0, at - half);
    trail.setAttribute("d", line(one.valence.slice(since, at + 1), ys.slice(since, at + 1)));
    here.setAttribute("cx", one.valence[at]);
    here.setAttribute("cy", ys[at]);
  };
}

function drawBars(body, one) {
  const percent = (value) => `${100 * Math.min(1, Math.max(0, value))}%`;
  for (const name of one.columns) {
    const row = element("tr", {}, body), value = one.mean[name], half = one.mean_high && one.mean_high[name] - value;
    element("th", { scope: "row", text: words(name) }, row);
    const bar = element("div", { class: "bar" }, element("td", { "aria-hidden": "true" }, row));
    element("span", {}, bar).style.width = percent(value);
    if (half) {
      const interval = element("span", { class: "interval" }, bar);
      interval.style.left = percent(value - half);
      interval.style.right = percent(1 - value - half);
    }
    element("td", { class: "n", text: number(value) + (half ? ` ± ${number(half)}` : "") }, row);
  }
}

function numberPlaces(points) { // one near each point, so that no number covers another one or a point
  const places = [], apart = (x, y, others, width, height) =>
    others.every(([u, v]) => Math.abs(x - u) >= width || Math.abs(y - v) >= height);
  const isFree = ([x, y]) => Math.max(Math.abs(x), Math.abs(y)) < 0.89
    && apart(x, y, places, 0.24, 0.15) && apart(x, y, points, 0.15, 0.12);
  for (const [x, y] of points) {
    const around = Array.from({ length: 240 }, (_, i) => { // twelve directions, then the same further away
      const distance = 0.16 + 0.05 * Math.floor(i / 12), angle = (i * Math.PI) / 6;
      return [x + distance * Math.sin(angle), y - distance * Math.cos(angle)];
    });
    places.push(around.find(isFree) ?? [x, y]);
  }
  return places;
}

function drawNumbers(svg, points) { // a dot for each song, and a line to its number
  const places = numberPlaces(points);
  points.forEach(([x, y], i) => element("line", { class: "leader", x1: x, y1: y, x2: places[i][0], y2: places[i][1] }, svg));
  points.forEach(([x, y]) => element("circle", { class: "song-mean", cx: x, cy: y, r: 0.035 }, svg));
  places.forEach(([x, y], i) => element("text", { class: "number", text: i + 1, x, y, "text-anchor": "middle", dy: 0.05 }, svg));
}

function compare() { // the songs next to each other, from two on
  const ready = [...songs].filter((song) => song.shown.get(first)), section = byId("together");
  section.hidden = ready.length < 2;
  const body = section.querySelector("tbody"), svg = plane(section.querySelector(".plane"));
  svg.setAttribute("aria-label", "The mean of each song on the plane of valence and arousal, by its number in the table");
  body.replaceChildren();
  drawNumbers(svg, ready.map((song) => song.shown.get(first).mean).map(({ valence, arousal }) => [valence, -arousal]));
  ready.forEach((song, i) => {
    const { mean, mean_high: high } = song.shown.get(first), row = element("tr", {}, body);
    element("th", { scope: "row", text: `${i + 1}. ${song.name}` }, row);
    for (const name of ["valence", "arousal"]) {
      element("td", { class: "n", text: number(mean[name]) + (high ? ` ± ${number(high[name] - mean[name])}` : "") }, row);
    }
    for (const { dataset } of section.querySelectorAll("th[data-paper]")) {
      const of = song.shown.get(dataset.paper)?.mean;
      const highest = of && Object.keys(of).reduce((one, other) => (of[other] > of[one] ? other : one));
      element("td", { text: of ? `${words(highest)} ${number(of[highest])}` : "–" }, row);
    }
  });
}

refresh();
