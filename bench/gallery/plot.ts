/** Plain charts as SVG: axes, lines, labels at the lines' ends. For the figures of docs/. */

export const INK = '#2b2b2b';
const FAINT = '#e3e3e3';
const GREY = '#777777';
/** Red, green, blue as channels; orange where one line is meant. */
export const COLOURS = { red: '#c8453b', green: '#3d8f52', blue: '#3566b0', orange: '#d9822b', grey: GREY };

type Point = readonly [x: number, y: number];

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /** @default the number */
  readonly format?: (value: number) => string;
}

export interface Line {
  readonly points: readonly Point[];
  readonly colour: string;
  readonly dashed?: boolean;
  readonly width?: number;
  /** Written at a place in the chart's units, in the line's colour. */
  readonly label?: {
    readonly text: string;
    readonly at: Point;
    readonly anchor?: 'start' | 'middle' | 'end';
  };
  /** Dots at the points as well. */
  readonly dots?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** A PNG that fills the plot's area. */
  readonly background?: Uint8Array;
  /** Vertical marks. */
  readonly marks?: readonly { readonly x: number; readonly text: string; readonly colour?: string }[];
}

const PLOT = { width: 360, height: 250 };
const MARGIN = { left: 58, right: 22, top: 52, bottom: 52 };
const FULL = {
  width: MARGIN.left + PLOT.width + MARGIN.right,
  height: MARGIN.top + PLOT.height + MARGIN.bottom,
};

/** Charts side by side. */
export function charts(list: readonly Chart[]): string {
  const inner = list.map((chart, i) => `<g transform="translate(${i * FULL.width} 0)">${drawn(chart)}</g>`);
  const title = list.map((chart) => chart.title).join('; ');
  return svg(list.length * FULL.width, FULL.height, title, inner.join('\n'));
}

/** A whole drawing on white, in the hand of all figures. */
export function svg(width: number, height: number, title: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="${INK}">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${content}
</svg>
`;
}

/** A line of text; `more` are further attributes. */
export function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${escaped(content)}</text>`;
}

/** Words as they stand in XML. */
export function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

const round = (v: number) => String(Math.round(v * 10) / 10);

function drawn({ title, x, y, lines, background, marks = [] }: Chart): string {
  const px = (v: number) => MARGIN.left + ((v - x.from) / (x.to - x.from)) * PLOT.width;
  const py = (v: number) => MARGIN.top + (1 - (v - y.from) / (y.to - y.from)) * PLOT.height;
  const bottom = MARGIN.top + PLOT.height;
  const right = MARGIN.left + PLOT.width;
  const named = (axis: Axis, v: number) => (axis.format ? axis.format(v) : String(v).replace('-', '−'));
  const out = [text(MARGIN.left, 22, title, 'font-weight="bold" font-size="14"')];
  for (const t of y.ticks) {
    out.push(`<path d="M${MARGIN.left} ${round(py(t))}H${right}" stroke="${FAINT}"/>`);
    out.push(text(MARGIN.left - 8, py(t) + 4.5, named(y, t), 'text-anchor="end"'));
  }
  for (const t of x.ticks) {
    out.push(`<path d="M${round(px(t))} ${MARGIN.top}V${bottom}" stroke="${FAINT}"/>`);
    out.push(text(px(t), bottom + 18, named(x, t), 'text-anchor="middle"'));
  }
  if (background) {
    const data = Buffer.from(background).toString('base64');
    out.push(
      `<image x="${MARGIN.left}" y="${MARGIN.top}" width="${PLOT.width}" height="${PLOT.height}" preserveAspectRatio="none" href="data:image/png;base64,${data}"/>`,
    );
  }
  for (const mark of marks) {
    const colour = mark.colour ?? GREY;
    out.push(
      `<path d="M${round(px(mark.x))} ${MARGIN.top}V${bottom}" stroke="${colour}" stroke-dasharray="2 3"/>`,
      text(px(mark.x), MARGIN.top - 6, mark.text, `text-anchor="middle" font-size="12" fill="${colour}"`),
    );
  }
  out.push(
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}" fill="none" stroke="${GREY}"/>`,
    text(MARGIN.left + PLOT.width / 2, bottom + 40, x.label, `text-anchor="middle" fill="${GREY}"`),
    text(
      0,
      0,
      y.label,
      `text-anchor="middle" fill="${GREY}" transform="translate(15 ${MARGIN.top + PLOT.height / 2}) rotate(-90)"`,
    ),
  );
  for (const { points, colour, dashed, width = 2, label, dots } of lines) {
    const inside = points.filter(([a]) => a >= x.from && a <= x.to);
    const clamped = (v: number) => Math.min(Math.max(v, Math.min(y.from, y.to)), Math.max(y.from, y.to));
    const path = inside.map(([a, b]) => `${round(px(a))} ${round(py(clamped(b)))}`).join('L');
    out.push(
      `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"${dashed ? ' stroke-dasharray="6 4"' : ''}/>`,
    );
    if (dots) {
      for (const [a, b] of inside)
        out.push(`<circle cx="${round(px(a))}" cy="${round(py(b))}" r="3" fill="${colour}"/>`);
    }
    if (label) {
      const anchor = label.anchor ?? 'start';
      const halo = 'paint-order="stroke" stroke="#ffffff" stroke-width="3.5" stroke-linejoin="round"';
      out.push(
        text(
          px(label.at[0]),
          py(label.at[1]),
          label.text,
          `fill="${colour}" text-anchor="${anchor}" ${halo}`,
        ),
      );
    }
  }
  return out.join('\n');
}
