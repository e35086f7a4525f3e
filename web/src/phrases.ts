// The words of the page: the English template is the key, the view brings the table of its language.

let table: Record<string, string> = {};

/** Speaks the language of a table from now on. */
export function speak(phrases: Record<string, string>): void {
  table = phrases;
}

/** A number as it is set in print: with a minus, not a hyphen, as in the formulas beside it. */
export function set(number: string): string {
  return number.replaceAll("-", "−");
}

/** A phrase with its values put in: t("{n} samples", { n: 3 }). */
export function t(template: string, values: Record<string, string | number> = {}): string {
  const found = table[template] ?? template;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
