// The estimates with their intervals, a panel a grade, over the zones that decide a verdict.
// SPDX-License-Identifier: Apache-2.0

const FOREST_ROW = 30;

function forestRows(grade) {
  return names.map((name) => {
    const point = findPoint(name, view.payload, grade, view.stage, view.condition);
    return {name, grade, point, verdict: point?.verdicts?.[view.probe]};
  });
}

// The axis shows -0.25 to 1.25 at least and follows the data to -0.5 and 1.5; beyond, an interval ends in an
// arrow.
function forestRange(rows) {
  const known = rows
    .flatMap(({verdict}) => [verdict?.low, verdict?.high, verdict?.eta])
    .filter((value) => value !== null && value !== undefined);
  const low = Math.min(0, ...known) < -0.25 ? -0.5 : -0.25;
  const high = Math.max(1, ...known) > 1.25 ? 1.5 : 1.25;
  return {low, high};
}

// The sign of the verdict as a shape of the chart, the same as in the matrix.
function markShapes(x, y, word) {
  const ink = wordColor(word);
  const size = 5.2;
  const disc = (fill, dash) => ({
    type: 'circle',
    shape: {cx: x, cy: y, r: size},
    style: {fill, stroke: ink, lineWidth: 1.8, lineDash: dash},
  });
  if (word === 'semantic')
    return [
      {
        type: 'polygon',
        shape: {
          points: [
            [x, y - 6],
            [x + 6, y],
            [x, y + 6],
            [x - 6, y],
          ],
        },
        style: {fill: ink},
      },
    ];
  if (word === 'full') return [disc(ink)];
  const half = {
    type: 'sector',
    shape: {cx: x, cy: y, r: size, r0: 0, startAngle: -Math.PI / 2, endAngle: Math.PI / 2},
    style: {fill: ink},
  };
  const slash = {
    type: 'line',
    shape: {x1: x - 3.6, y1: y + 3.6, x2: x + 3.6, y2: y - 3.6},
    style: {stroke: ink, lineWidth: 1.5},
  };
  const paper = color('raised');
  if (word === 'partial') return [disc(paper), half];
  if (word === 'withheld') return [disc(paper), slash];
  return [disc(paper, word === 'none' ? null : [2.2, 2])];
}

function intervalShapes(api, row, range) {
  const {verdict} = row;
  const y = api.coord([0, api.value(0)])[1];
  const at = (value) => api.coord([Math.min(range.high, Math.max(range.low, value)), 0])[0];
  const stroke = wordColor(verdict.word);
  const shapes = [];
  if (verdict.low !== null && verdict.high !== null) {
    const [left, right] = [at(verdict.low), at(verdict.high)];
    shapes.push({type: 'line', shape: {x1: left, y1: y, x2: right, y2: y}, style: {stroke, lineWidth: 1.8}});
    const end = (x, beyond, direction) =>
      shapes.push(
        beyond
          ? {
              type: 'polygon',
              shape: {
                points: [
                  [x, y],
                  [x - 6 * direction, y - 4],
                  [x - 6 * direction, y + 4],
                ],
              },
              style: {fill: stroke},
            }
          : {type: 'line', shape: {x1: x, y1: y - 4, x2: x, y2: y + 4}, style: {stroke, lineWidth: 1.8}},
      );
    end(left, verdict.low < range.low, -1);
    end(right, verdict.high > range.high, 1);
  }
  // Each pair of its own, faint, below the estimate.
  for (const eta of verdict.etas ?? [])
    if (eta >= range.low && eta <= range.high)
      shapes.push({
        type: 'circle',
        shape: {cx: at(eta), cy: y + 8, r: 1.7},
        style: {fill: stroke, opacity: 0.55},
      });
  const inside = verdict.eta >= range.low && verdict.eta <= range.high;
  return inside ? [...shapes, ...markShapes(at(verdict.eta), y, verdict.word)] : shapes;
}

function absentShape(api, row, range) {
  const [x, y] = api.coord([range.low, api.value(0)]);
  const text =
    row.verdict?.of !== undefined
      ? `${formatCount(row.verdict.removed)} of ${formatCount(row.verdict.of)} objects removed`
      : 'not measured';
  return [
    {
      type: 'text',
      style: {
        x: x + 6,
        y,
        text,
        fill: color('soft'),
        font: 'italic 11px sans-serif',
        textVerticalAlign: 'middle',
      },
    },
  ];
}

function zoneMarks(range) {
  const zone = (from, to, name, fill) => [
    {
      xAxis: from,
      name,
      itemStyle: {color: fill},
      label: {show: true, position: 'insideTop', distance: -16, color: color(name), fontSize: 11},
    },
    {xAxis: to},
  ];
  return {
    silent: true,
    data: [
      zone(-NONE_WITHIN, NONE_WITHIN, 'none', faded('none', 0.2)),
      zone(NONE_WITHIN, FULL_ABOVE, 'partial', faded('partial', 0.05)),
      zone(FULL_ABOVE, range.high, 'full', faded('full', 0.13)),
    ],
  };
}

const forestStacked = (width) => width < 720;

function forestHeight(width, panels) {
  const panel = names.length * FOREST_ROW + 78;
  return forestStacked(width) ? panel * panels : panel;
}

function forestPanel(index, grade, width, panels, room, range) {
  const stacked = forestStacked(width);
  const height = names.length * FOREST_ROW;
  const share = (width - room - 12) / panels;
  const left = stacked ? room : room + index * share;
  const top = 46 + (stacked ? index * (height + 78) : 0);
  const rows = forestRows(grade);
  const labels = stacked || index === 0;
  return {
    title: {
      text: grade,
      left: left + 2,
      top: top - 44,
      textStyle: {fontSize: 13, color: color('ink'), fontWeight: 600},
    },
    grid: {left, top, width: stacked ? width - room - 14 : share - 18, height},
    xAxis: valueAxis({
      gridIndex: index,
      min: range.low,
      max: range.high,
      interval: 0.25,
      axisLabel: {formatter: (value) => (value % 0.5 === 0 ? signed(String(value)) : '')},
    }),
    yAxis: rowAxis(names, {
      gridIndex: index,
      axisLabel: {show: labels, formatter: (name) => clipped(name, room)},
    }),
    series: {
      type: 'custom',
      xAxisIndex: index,
      yAxisIndex: index,
      clip: false,
      encode: {y: 0, x: 1},
      data: rows.map((row, i) => [i, row.verdict?.eta ?? range.low]),
      renderItem: (params, api) => {
        const row = rows[params.dataIndex];
        const known = row.verdict && row.verdict.eta !== null;
        return {
          type: 'group',
          children: known ? intervalShapes(api, row, range) : absentShape(api, row, range),
        };
      },
      markArea: zoneMarks(range),
      tooltip: {
        formatter: (params) => {
          const row = rows[params.dataIndex];
          return h('div', {}, verdictTip(row.point, view.probe, `${row.name}, ${view.payload}, ${grade}`));
        },
      },
    },
  };
}

function forestChart(above) {
  const range = forestRange(above.flatMap(forestRows));
  return chart({
    label: `Estimates of eta with 95 % intervals on ${view.probe}, ${view.payload}, by system and grade`,
    height: (width) => forestHeight(width, above.length),
    option: (width) => {
      const room = labelRoom(names, width);
      const panels = above.map((grade, i) => forestPanel(i, grade, width, above.length, room, range));
      const parts = (key) => panels.map((panel) => panel[key]);
      return {
        title: parts('title'),
        grid: parts('grid'),
        xAxis: parts('xAxis'),
        yAxis: parts('yAxis'),
        series: parts('series'),
        tooltip: tooltip(() => []),
      };
    },
  });
}

function forestNumbers(above) {
  const rows = above.flatMap((grade) =>
    forestRows(grade).map(({name, point, verdict}) => [
      name,
      grade,
      verdict && verdict.eta !== null ? formatEta(verdict.eta) : null,
      verdict ? formatInterval(verdict.low, verdict.high) : '',
      verdict ? String(verdict.n) : '',
      verdict ? WORDS[verdict.word] : '',
      verdict ? textAt(verdict.reason) : whyMissing(point, view.probe),
    ]),
  );
  return numbers(
    [
      {title: 'System'},
      {title: 'Grade'},
      {title: 'eta', number: true},
      {title: '95 % interval', number: true},
      {title: 'n', number: true},
      {title: 'Verdict'},
      {title: 'Reason', wrap: true},
    ],
    rows,
  );
}

function drawForest() {
  const above = grades.filter((grade) => gradeNumber(grade) > 0);
  section(
    'eta',
    'How much is removed',
    'η = 0: every duplicate is paid in full. η = 1: duplicates are free. A verdict is given only where ' +
      'the whole 95 % interval lies in one zone. Small dots are the single pairs.',
    [payloadChoice(), stageChoice(), probeChoice(), conditionChoice()],
    ['payload', 'stage', 'probe', 'condition'],
    () => {
      const any = above.some((grade) =>
        forestRows(grade).some(({verdict}) => verdict && verdict.eta !== null),
      );
      if (!any)
        return empty(
          `No estimate of eta for ${view.payload ?? 'any payload'} at this stage on ` +
            `${view.probe ?? 'any probe'}: it needs a valid cell at U0 and its twin at a higher grade.`,
        );
      return [h('div', {class: 'card'}, forestChart(above)), forestNumbers(above)];
    },
  );
}
