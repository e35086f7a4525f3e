// Files that go from the page to the person: a blob and a link that is clicked.

/** Offers a text, or what a blob holds, as a download. */
export function save(name: string, type: string, text: string | Blob): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
