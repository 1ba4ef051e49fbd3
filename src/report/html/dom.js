// Building the document: elements, tables, signs, the tooltip, and the choices that sections share. Text goes
// in as text nodes only, so nothing that a server said can become markup.
// SPDX-License-Identifier: Apache-2.0

const SVG = 'http://www.w3.org/2000/svg';

function h(tag, attributes = {}, ...children) {
  return fillElement(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fillElement(document.createElementNS(SVG, tag), attributes, children);
}

function fillElement(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function pairs(list) {
  return h(
    'dl',
    {class: 'pairs'},
    list.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  );
}

// A verdict's sign: the filled share of the disc is the share of duplicates that is removed.
function glyph(word) {
  const disc = (attributes) =>
    svg('circle', {
      cx: 8,
      cy: 8,
      r: 6.4,
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 1.8,
      ...attributes,
    });
  const sign = (text) =>
    svg(
      'text',
      {x: 8, y: 11.6, 'text-anchor': 'middle', 'font-size': 10, 'font-weight': 700, fill: 'currentColor'},
      text,
    );
  const shapes = {
    none: () => [disc({})],
    partial: () => [disc({}), svg('path', {d: 'M8 1.6a6.4 6.4 0 0 1 0 12.8z', fill: 'currentColor'})],
    full: () => [disc({fill: 'currentColor'})],
    semantic: () => [svg('path', {d: 'M8 1l7 7-7 7-7-7z', fill: 'currentColor'})],
    inconclusive: () => [disc({'stroke-width': 1}), sign('?')],
    too_few_repetitions: () => [disc({'stroke-dasharray': '2.2 2', 'stroke-width': 1.4}), sign('n')],
    withheld: () => [
      disc({'stroke-width': 1.4}),
      svg('path', {d: 'M3.6 12.4l8.8-8.8', stroke: 'currentColor', 'stroke-width': 1.6}),
    ],
    unanswered: () => [svg('path', {d: 'M3 8h10', stroke: 'currentColor', 'stroke-width': 1.8})],
  };
  const draw = shapes[word] ?? shapes.unanswered;
  return svg('svg', {class: `glyph v-${word}`, viewBox: '0 0 16 16', 'aria-hidden': 'true'}, draw());
}

function nameNodes(name) {
  const cut = name.indexOf('/');
  return cut < 0 ? [name] : [name.slice(0, cut), h('wbr'), h('span', {class: 'variant'}, name.slice(cut))];
}

// A column is {title, number, wrap}; a cell is text, a node, or null for "not measured".
function table(columns, rows, caption) {
  const kind = (column) => (column.number ? 'number' : column.wrap ? 'reason' : null);
  return h(
    'div',
    {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption ?? 'Table'},
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          columns.map((column) => h('th', {scope: 'col', class: kind(column)}, column.title)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((cells) =>
          h(
            'tr',
            {},
            cells.map((cell, i) =>
              h('td', {class: kind(columns[i])}, cell ?? h('span', {class: 'missing'}, 'not measured')),
            ),
          ),
        ),
      ),
    ),
  );
}

// The figures behind a chart, for who reads them or hears them.
function numbers(columns, rows) {
  return h(
    'details',
    {class: 'numbers'},
    h('summary', {}, 'Figures of this chart'),
    table(columns, rows, 'Figures of the chart'),
  );
}

function empty(text) {
  return h('p', {class: 'empty'}, text);
}

const tip = document.getElementById('tip');

function showTip(element, content) {
  tip.replaceChildren(...content());
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const below = box.bottom + 6 + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(8, left) + window.scrollX}px`;
  tip.style.top = `${(below ? box.bottom + 6 : box.top - tip.offsetHeight - 6) + window.scrollY}px`;
  element.setAttribute('aria-describedby', 'tip');
}

function hideTip(element) {
  tip.hidden = true;
  element.removeAttribute('aria-describedby');
}

function withTip(element, content) {
  element.addEventListener('mouseenter', () => showTip(element, content));
  element.addEventListener('mouseleave', () => hideTip(element));
  element.addEventListener('focus', () => showTip(element, content));
  element.addEventListener('blur', () => hideTip(element));
  return element;
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') tip.hidden = true;
});

// Choices hold for the whole page: two sections that ask for a payload show the same one.
const view = {};
const listeners = [];

function onChoice(keys, render) {
  listeners.push({keys, render});
}

function choose(key, value) {
  view[key] = value;
  for (const listener of listeners) if (listener.keys.includes(key)) listener.render();
}

// Options are {value, label}. With a single one there is nothing to choose and nothing is shown.
function select(key, label, options) {
  if (!options.some((option) => option.value === view[key])) view[key] = options[0]?.value;
  if (options.length < 2) return null;
  const control = h(
    'select',
    {onchange: () => choose(key, control.value)},
    options.map((option) => h('option', {value: option.value}, option.label)),
  );
  const follow = () => {
    control.value = view[key];
  };
  follow();
  onChoice([key], follow);
  return h('label', {}, label, control);
}

function segments(key, label, options) {
  if (!options.some((option) => option.value === view[key])) view[key] = options[0]?.value;
  if (options.length < 2) return null;
  const buttons = options.map((option) =>
    h('button', {type: 'button', onclick: () => choose(key, option.value)}, option.label),
  );
  const follow = () =>
    buttons.forEach((button, i) =>
      button.setAttribute('aria-pressed', String(options[i].value === view[key])),
    );
  follow();
  onChoice([key], follow);
  return h(
    'div',
    {class: 'group', role: 'group', 'aria-label': label},
    label,
    h('div', {class: 'segments'}, buttons),
  );
}

const plainOptions = (values) => values.map((value) => ({value, label: value}));
const payloadChoice = () => select('payload', 'Payload', plainOptions(payloads));
const conditionChoice = () =>
  select(
    'condition',
    'Conditions',
    conditions.map(({key, label}) => ({value: key, label})),
  );
const gradeChoice = () => {
  view.grade ??= grades.at(-1);
  return select('grade', 'Grade', plainOptions(grades));
};

// A section with its choices; `render` is called now and whenever one of `keys` changes.
function section(id, title, lead, controls, keys, render) {
  const body = h('div', {});
  const chosen = h('p', {class: 'chosen'});
  const used = controls.filter((control) => control !== null);
  const refresh = () => {
    chosen.textContent = used.map(describeControl).join(' · ');
    body.replaceChildren(...[render()].flat(Infinity).filter((node) => node !== null && node !== undefined));
    redrawCharts(body);
  };
  onChoice(keys, refresh);
  const element = h(
    'section',
    {id, 'aria-labelledby': `${id}-title`},
    h('h2', {id: `${id}-title`}, title),
    lead ? h('p', {class: 'lead'}, lead) : null,
    used.length > 0 ? h('div', {class: 'choices'}, used) : null,
    chosen,
    body,
  );
  document.getElementById('main').append(element);
  refresh();
  return element;
}

// For paper, where a control cannot be seen: "Payload: random_binary".
function describeControl(control) {
  const label = control.firstChild.textContent;
  const value =
    control.querySelector('select')?.selectedOptions[0]?.textContent ??
    control.querySelector('[aria-pressed="true"]')?.textContent ??
    '';
  return `${label}: ${value}`;
}
