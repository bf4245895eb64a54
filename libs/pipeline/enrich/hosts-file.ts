/** Reads names for addresses from text in the form of /etc/hosts: address, name, aliases; `#` begins a comment. */
import { canonicalAddress } from "#domain/Address.ts"

export interface HostName {
  readonly address: string
  /** First label, which is what people say. */
  readonly name: string
  /** The whole name when it has a domain. */
  readonly fqdn: string | null
}

export interface HostsFile {
  /** One entry an address; the first line of an address wins, as resolvers do. */
  readonly names: ReadonlyArray<HostName>
  /** Lines that could not be read, numbered from 1. */
  readonly wrong: ReadonlyArray<{ readonly line: number; readonly why: string }>
}

/** RFC 1123 §2.1 labels, and the underscore that people use. */
const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?$/i

export const readHosts = (text: string): HostsFile => {
  const names = new Map<string, HostName>()
  const wrong: Array<{ line: number; why: string }> = []
  text.split("\n").forEach((raw, index) => {
    const [field = "", first] = raw.replace(/#.*/, "").trim().split(/\s+/)
    if (field === "") return
    const address = canonicalAddress(field)
    const line = index + 1
    if (address === undefined) wrong.push({ line, why: `${field} is not an IP address` })
    else if (first === undefined) wrong.push({ line, why: `${field} has no name` })
    else if (!hostName.test(first)) wrong.push({ line, why: `${first} is not a host name` })
    else if (!names.has(address)) {
      const whole = first.replace(/\.$/, "")
      names.set(address, { address, name: whole.split(".")[0]!, fqdn: whole.includes(".") ? whole : null })
    }
  })
  return { names: [...names.values()], wrong }
}
