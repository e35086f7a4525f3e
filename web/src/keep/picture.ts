// The drawing as a picture of its own: an SVG with its styles in it, or its pixels.

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "font-family", "font-size", "font-weight", "font-style", "font-variant-numeric", "text-anchor", "dominant-baseline",
  "text-decoration", "paint-order", "visibility", "display",
];

/** Pixels of the picture for each of the drawing. */
const SHARPNESS = 2;

/** The drawing on the page; null where there is none. */
export function drawing(): SVGSVGElement | null {
  const all = [...document.querySelectorAll<SVGSVGElement>(".drawing svg")].filter((each) => each.viewBox.baseVal?.width);
  const area = (each: SVGSVGElement) => each.viewBox.baseVal.width * each.viewBox.baseVal.height;
  return all.sort((a, b) => area(b) - area(a))[0] ?? null;
}

/** The drawing as the text of an SVG file: as it looks now, without anything that only works on the page. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const before = [svg, ...svg.querySelectorAll("*")];
  const after = [copy, ...copy.querySelectorAll("*")];
  before.forEach((element, place) => {
    const style = getComputedStyle(element);
    const own = after[place] as SVGElement;
    for (const name of [...own.getAttributeNames()])
      if (/^(class|style|tabindex|role|aria-|data-|id$)/.test(name)) own.removeAttribute(name);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      if (value && value !== "normal" && value !== "auto") own.setAttribute(name, value);
    }
  });
  const { x, y, width, height } = svg.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, fill: getComputedStyle(document.body).backgroundColor }))
    ground.setAttribute(name, String(value));
  copy.insertBefore(ground, copy.firstChild);
  return new XMLSerializer().serializeToString(copy);
}

/** The same as a PNG. */
export async function png(text: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * SHARPNESS;
  canvas.height = image.height * SHARPNESS;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}
