// Charts: drawn when they come near the screen, again when the theme, the width or the paper changes.
// SPDX-License-Identifier: Apache-2.0

// Colours of the style sheet as the chart library wants them: resolved for the theme that is on.
const colorProbe = h('span', {hidden: true});
document.body.append(colorProbe);
let colors = new Map();

function color(name) {
  if (!colors.has(name)) {
    colorProbe.style.color = `var(--${name})`;
    colors.set(name, getComputedStyle(colorProbe).color);
  }
  return colors.get(name);
}

function faded(name, alpha) {
  const [red, green, blue] = color(name).match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

const wordColor = (word) => color(['none', 'partial', 'full', 'semantic'].includes(word) ? word : 'open');

function gradeColor(grade) {
  const place = grades.indexOf(grade);
  const steps = grades.length <= 1 ? 0 : Math.round((place * 4) / (grades.length - 1));
  return color(`grade-${place === 0 ? 0 : Math.max(1, steps)}`);
}

const allCharts = new Map();

const nearScreen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) drawChart(allCharts.get(entry.target));
  },
  {rootMargin: '600px'},
);

const widthWatch = new ResizeObserver((entries) => {
  for (const entry of entries) {
    const chart = allCharts.get(entry.target);
    if (!onPaper && chart?.instance && Math.abs(chart.width - entry.target.clientWidth) > 1) drawChart(chart);
  }
});

// `option` is called with the width in pixels and gives the chart library's option; `height` is pixels or a
// function of the width. `label` is what a screen reader says.
function chart({label, height, option}) {
  const host = h('div', {class: 'chart', role: 'img', 'aria-label': label});
  host.style.height = `${typeof height === 'function' ? height(900) : height}px`;
  allCharts.set(host, {host, height, option, instance: null, width: 0});
  nearScreen.observe(host);
  widthWatch.observe(host);
  return host;
}

function drawChart(entry, width = entry?.host.clientWidth) {
  if (!entry || !entry.host.isConnected || !width) return;
  entry.width = width;
  const height = typeof entry.height === 'function' ? entry.height(width) : entry.height;
  entry.host.style.height = `${height}px`;
  entry.instance ??= echarts.init(entry.host, null, {renderer: 'svg'});
  entry.instance.resize({width, height});
  entry.instance.setOption({...baseOption(), ...entry.option(width)}, {notMerge: true});
  entry.host.dataset.drawn = 'yes';
}

function baseOption() {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: color('ink'), fontSize: 12},
  };
}

// Charts of a section whose content was replaced: the old ones are given back.
function redrawCharts(body) {
  for (const [host, entry] of allCharts) {
    if (host.isConnected || !entry.instance) continue;
    entry.instance.dispose();
    allCharts.delete(host);
  }
  tip.hidden = true;
  for (const host of body.querySelectorAll('.chart')) nearScreen.observe(host);
}

function themeChanged() {
  colors = new Map();
  for (const entry of allCharts.values()) if (entry.instance) drawChart(entry);
}

// Paper: every chart as a light copy that scales to the width of the sheet, whatever the screen's is.
const PAPER_WIDTH = 760;
let onPaper = false;

function drawForPaper() {
  const root = document.documentElement;
  const theme = root.dataset.theme;
  root.dataset.theme = 'light';
  colors = new Map();
  onPaper = true;
  for (const entry of allCharts.values()) {
    drawChart(entry, Math.min(entry.host.clientWidth, PAPER_WIDTH));
    entry.copy = paperCopy(entry);
  }
  return () => {
    for (const entry of allCharts.values()) entry.copy?.remove();
    onPaper = false;
    if (theme === undefined) delete root.dataset.theme;
    else root.dataset.theme = theme;
    themeChanged();
  };
}

function paperCopy(entry) {
  const drawn = entry.host.querySelector('svg');
  if (!drawn) return null;
  const copy = drawn.cloneNode(true);
  copy.setAttribute('class', 'paper');
  copy.setAttribute('style', '');
  copy.setAttribute('viewBox', `0 0 ${entry.width} ${entry.instance.getHeight()}`);
  copy.removeAttribute('width');
  copy.removeAttribute('height');
  entry.host.after(copy);
  return copy;
}

// Pieces that the charts share.
function valueAxis(more = {}) {
  return {
    type: 'value',
    axisLine: {show: false},
    axisTick: {show: false},
    axisLabel: {color: color('soft'), fontSize: 11, hideOverlap: true, ...more.axisLabel},
    splitLine: {lineStyle: {color: color('line')}},
    nameTextStyle: {color: color('soft'), fontSize: 11},
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'axisLabel')),
  };
}

function rowAxis(labels, more = {}) {
  return {
    type: 'category',
    data: labels,
    inverse: true,
    axisLine: {show: false},
    axisTick: {show: false},
    splitLine: {show: false},
    axisLabel: {color: color('ink'), fontSize: 12, interval: 0, ...more.axisLabel},
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'axisLabel')),
  };
}

function tooltip(content, more = {}) {
  return {
    trigger: 'item',
    confine: true,
    backgroundColor: color('raised'),
    borderColor: color('line-strong'),
    textStyle: {color: color('ink'), fontSize: 12.5},
    extraCssText: 'max-width: 22rem; white-space: normal;',
    formatter: (params) => h('div', {}, content(params)),
    ...more,
  };
}

function tipTitle(text) {
  return h('b', {}, text);
}

// Room for row names, in pixels.
function labelRoom(labels, width) {
  const longest = Math.max(0, ...labels.map((label) => label.length));
  return Math.round(Math.min(longest * 7 + 16, width * 0.36));
}

function clipped(text, pixels) {
  const fits = Math.max(4, Math.floor(pixels / 7));
  return text.length <= fits ? text : `${text.slice(0, fits - 1)}…`;
}
