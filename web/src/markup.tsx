// Trees of MathML as elements. In a formula every name, and every number that stands for one, can be pointed at and opened.

import { createElement, type ComponentChildren, type VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Step, Tree } from "./data";

const ELEMENTS = new Set([
  "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msup", "msub", "msubsup", "msqrt", "munder", "mtable", "mtr", "mtd",
]);
const ATTRIBUTES = new Set(["form", "stretchy"]);

/** What a click on a name in a formula does. */
export type Open = (id: string) => void;

/** A tree as mathematics. With a name that is what a screen reader says instead. */
export function Maths({ tree, open, block, name }: { tree: Tree | Tree[]; open?: Open; block?: boolean; name?: string }) {
  const trees = Array.isArray(tree) && Array.isArray(tree[0]) ? (tree as Tree[]) : [tree as Tree];
  const maths = (
    <math display={block ? "block" : "inline"} {...(name !== undefined && { "aria-hidden": "true" })}>
      {trees.map((each) => set(each, open))}
    </math>
  );
  return name === undefined ? maths : <>{maths}<span class="sr">{name}</span></>;
}

/** What may be wider than the page: it is pushed to and fro, and fades out at the edge beyond which it goes on. */
export function Wide({ label, children }: { label?: string; children: ComponentChildren }) {
  const element = useRef<HTMLDivElement>(null);
  const mark = () => {
    const { classList, scrollLeft, scrollWidth, clientWidth } = element.current!;
    classList.toggle("goes-on", scrollLeft + clientWidth < scrollWidth - 2);
    classList.toggle("went-on", scrollLeft > 2);
  };
  useLayoutEffect(mark);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(mark);
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="wide" ref={element} onScroll={mark} {...(label ? { tabIndex: 0, role: "group", "aria-label": label } : {})}>
      {children}
    </div>
  );
}

function set(tree: Tree, open?: Open): ComponentChildren {
  if (typeof tree === "string") return tree;
  const [tag, ...inner] = tree;
  if (!ELEMENTS.has(tag)) return null;
  const own: Record<string, unknown> = {};
  const children: VNode[] = [];
  for (const each of inner) {
    if (typeof each === "string" || Array.isArray(each)) children.push(set(each, open) as VNode);
    else
      for (const [name, value] of Object.entries(each)) {
        if (ATTRIBUTES.has(name)) own[name] = value;
        else if (name === "id" && open) Object.assign(own, link(value, open));
      }
  }
  return createElement(tag, own, ...children);
}

function link(id: string, open: Open) {
  // for who points; a formula is one thing to a keyboard and a screen reader, which have the tree of causes beside it
  return { class: "link", "data-cell": id, onClick: () => open(id) };
}

/** A number's whole equation: name, formula, formula with numbers and value, a line each. */
export function Equation({ step, open }: { step: Step; open?: Open }) {
  const rows: VNode[] = [];
  for (const side of step.sides)
    side.forEach((line, place) => {
      rows.push(
        <mtr>
          <mtd>{rows.length ? null : set(step.label)}</mtd>
          <mtd>{place ? null : <mo>=</mo>}</mtd>
          <mtd>{set(line, open)}</mtd>
        </mtr>,
      );
    });
  return (
    <math display="block" class="equation">
      <mtable>{rows}</mtable>
    </math>
  );
}
