/** Reads the YAML of a configuration file into sections and values that know their line. Pure. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml"

export interface FileEntry {
  readonly key: string
  /** Line of the key, from 1. */
  readonly line: number
  /** A map holds entries; anything else is a value as plain JavaScript. An empty one is null. */
  readonly content:
    | { readonly _tag: "map"; readonly entries: ReadonlyArray<FileEntry> }
    | { readonly _tag: "value"; readonly value: unknown; readonly elementLines: ReadonlyArray<number> }
}

export interface FileFault {
  readonly line: number
  readonly message: string
}

export interface FileContents {
  readonly entries: ReadonlyArray<FileEntry>
  readonly faults: ReadonlyArray<FileFault>
}

/**
 * Every fault of the text is told, and what could be read is returned as well, so that wrong values are told in the same go. A key
 * that is there twice is a fault; the first one counts.
 */
export const readFile = (text: string): FileContents => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true, prettyErrors: false, version: "1.2" })
  const faults: Array<FileFault> = document.errors.map((error) => {
    const line = lines.linePos(error.pos[0]).line
    // The library points at the second of two equal keys, and says so without its name.
    const message =
      error.code === "DUPLICATE_KEY" ? `${keyAt(text, error.pos[0])} is set twice` : `not valid YAML: ${lowerFirst(error.message)}`
    return { line, message }
  })
  const lineOf = (node: unknown) => lines.linePos((node as Node | null)?.range?.[0] ?? 0).line

  const entriesOf = (node: unknown): ReadonlyArray<FileEntry> => {
    if (!isMap(node)) return []
    const entries = new Map<string, FileEntry>()
    for (const pair of node.items) {
      const line = lineOf(pair.key)
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined
      if (key === undefined) faults.push({ line, message: "a key must be a plain name" })
      else if (!entries.has(key)) entries.set(key, { key, line, content: contentOf(pair.value, line) })
    }
    return [...entries.values()]
  }

  const contentOf = (node: unknown, line: number): FileEntry["content"] => {
    if (isMap(node)) return { _tag: "map", entries: entriesOf(node) }
    if (isAlias(node)) faults.push({ line, message: "an alias (*name) cannot be used here, write the value" })
    if (isSeq(node)) {
      return { _tag: "value", value: node.toJS(document, { maxAliasCount: 0 }), elementLines: node.items.map(lineOf) }
    }
    return { _tag: "value", value: isScalar(node) ? node.value : null, elementLines: [] }
  }

  const root = document.contents
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    faults.push({ line: lineOf(root), message: "the file must hold sections such as `ingestion:`" })
  }
  return { entries: entriesOf(root), faults }
}

const keyAt = (text: string, offset: number): string => /^[^\s:]+/.exec(text.slice(offset, offset + 80))?.[0] ?? "a key"

const lowerFirst = (text: string): string => {
  const line = text.split("\n")[0] ?? text
  return line.charAt(0).toLowerCase() + line.slice(1)
}
