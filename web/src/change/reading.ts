// Whether what stands in a field is a number at all. Whether it is one that fits, Python says.

import { t } from "../phrases";

export interface Read {
  value?: number;
  fault?: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A comma before decimals as a point, unless it may group thousands: 0,41 and 1,5 are clear, 1,234 is not. */
function withPoint(text: string): string {
  const found = /^([+-]?)(\d*),(\d+)(e[+-]?\d+)?$/i.exec(text);
  if (!found || (found[3]!.length === 3 && /^[1-9]\d{0,2}$/.test(found[2]!))) return text;
  return `${found[1]}${found[2]}.${found[3]}${found[4] ?? ""}`;
}

/** The number that a text is, or why it is none. */
export function read(text: string, whole = false): Read {
  const trimmed = withPoint(text.trim().replace("\u2212", "-"));
  if (!trimmed) return { fault: t("Write a number.") };
  if (/^[+-]?\d[\d.]*,[\d.,]*$/.test(trimmed))
    return { fault: t("Write the decimals behind a point, as in {example}.", { example: trimmed.replace(",", ".") }) };
  if (/\p{Nd}/u.test(trimmed.replace(/[0-9]/g, ""))) return { fault: t("Write it with the digits 0 to 9.") };
  if (!NUMBER.test(trimmed)) return { fault: t("This is no number.") };
  const value = Number(trimmed);
  if (!Number.isFinite(value)) return { fault: t("This is larger than a number can be here.") };
  if (whole && !Number.isSafeInteger(value)) return { fault: t("Write a whole number.") };
  return { value };
}
