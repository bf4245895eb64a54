/** Text forms of addresses straight from the wire, for people and for keys. */

export const ipv4Text = (value: number): string => `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`

/** RFC 5952: lower case, the longest run of two or more zero groups shortened, the first one of equals. */
export const ipv6Text = (view: DataView, at: number): string => {
  let bestAt = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && view.getUint16(at + (i + run) * 2) === 0) run++
    if (run > bestLength) {
      bestAt = i
      bestLength = run
    }
    if (run > 0) i += run
  }
  let text = ""
  for (let i = 0; i < 8; ) {
    if (i === bestAt) {
      text += "::"
      i += bestLength
    } else {
      text += (text === "" || text.endsWith(":") ? "" : ":") + view.getUint16(at + i * 2).toString(16)
      i++
    }
  }
  return text
}

const hex2 = (value: number): string => value.toString(16).padStart(2, "0")

export const hexText = (view: DataView, at: number, length: number): string => {
  let text = ""
  for (let i = 0; i < length; i++) text += hex2(view.getUint8(at + i))
  return text
}

export const macText = (view: DataView, at: number): string => {
  let text = hex2(view.getUint8(at))
  for (let i = 1; i < 6; i++) text += `:${hex2(view.getUint8(at + i))}`
  return text
}
