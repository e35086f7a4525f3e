// Surfaces as pixels and lines: levels 0 ... 255 become colours, and where they cross one level a line is drawn.

const LOW = [38, 98, 180];
const MIDDLE = [244, 244, 242];
const HIGH = [214, 106, 28];

/** Tints of the classes, told apart without colour by the lines between them and by the shapes of the points. */
const TINTS = [
  [158, 197, 240], [248, 196, 150], [170, 218, 170], [220, 184, 232], [242, 224, 150],
  [160, 220, 220], [240, 178, 190], [200, 200, 200],
];

export function unpacked(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

/** Paints levels from blue over pale to orange. */
export function paintLevels(canvas: HTMLCanvasElement, levels: Uint8Array, side: number): void {
  paint(canvas, side, (place) => {
    const level = levels[place]! / 255;
    const [from, to, part] = level < 0.5 ? [LOW, MIDDLE, 2 * level] : [MIDDLE, HIGH, 2 * level - 1];
    return from.map((value, k) => value + part * (to[k]! - value));
  });
}

/** Paints each class in a tint of its own. */
export function paintClasses(canvas: HTMLCanvasElement, classes: Uint8Array, side: number): void {
  paint(canvas, side, (place) => TINTS[classes[place]! % TINTS.length]!);
}

function paint(canvas: HTMLCanvasElement, side: number, colour: (place: number) => number[]): void {
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  for (let place = 0; place < side * side; place++) image.data.set([...colour(place), 255], 4 * place);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** Where levels cross one level, as an SVG path in a square of 100: straight between the middles of cells. */
export function contour(levels: Uint8Array, side: number, level: number): string {
  const path: string[] = [];
  const middle = (k: number) => ((k + 0.5) * 100) / side;
  const between = (a: [number, number], b: [number, number]): string => {
    const [from, to] = [levels[a[1] * side + a[0]]!, levels[b[1] * side + b[0]]!];
    const part = (level - from) / (to - from);
    const along = (k: 0 | 1) => middle(a[k] + part * (b[k] - a[k])).toFixed(2);
    return `${along(0)} ${along(1)}`;
  };
  for (let row = 0; row < side - 1; row++)
    for (let column = 0; column < side - 1; column++) {
      const corners: [number, number][] = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const above = corners.map(([c, r]) => levels[r * side + c]! >= level);
      const crossed = corners.flatMap((corner, k) => {
        const next = (k + 1) % 4;
        return above[k] === above[next] ? [] : [between(corner, corners[next]!)];
      });
      for (let k = 0; k + 1 < crossed.length; k += 2) path.push(`M${crossed[k]}L${crossed[k + 1]}`);
    }
  return path.join("");
}

/** The lines between cells of different classes, as an SVG path in a square of 100. */
export function borders(classes: Uint8Array, side: number): string {
  const path: string[] = [];
  const edge = (k: number) => ((k * 100) / side).toFixed(2);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const here = classes[row * side + column];
      if (column + 1 < side && classes[row * side + column + 1] !== here) path.push(`M${edge(column + 1)} ${edge(row)}V${edge(row + 1)}`);
      if (row + 1 < side && classes[(row + 1) * side + column] !== here) path.push(`M${edge(column)} ${edge(row + 1)}H${edge(column + 1)}`);
    }
  return path.join("");
}
