/**
 * WebAssembly functions written as TypeScript expressions: what a kernel needs and no more (one imported memory, integers, doubles; vectors are
 * in wasm-vectors.ts). Each value knows its type, so that a wrong operand is a type error here and not a refused module.
 */

export type Type = "i32" | "i64" | "f64" | "v128"

export interface Value<T extends Type> {
  readonly type: T
  readonly code: ReadonlyArray<number>
}
export interface Local<T extends Type> extends Value<T> {
  readonly index: number
}
/** Code that leaves nothing on the stack. */
export type Statement = ReadonlyArray<number>
export type I32 = Value<"i32"> | number
export type Address = Value<"i32"> | number

const typeCodes: Record<Type, number> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b }

export const unsigned = (value: number): Array<number> => {
  const bytes: Array<number> = []
  let rest = value
  do {
    const low = rest & 0x7f
    rest = Math.floor(rest / 128)
    bytes.push(rest === 0 ? low : low | 0x80)
  } while (rest !== 0)
  return bytes
}

const signed = (value: bigint): Array<number> => {
  const bytes: Array<number> = []
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return [...bytes, low]
    bytes.push(low | 0x80)
  }
}

export const value = <T extends Type>(type: T, ...parts: ReadonlyArray<number | ReadonlyArray<number>>): Value<T> => ({
  type,
  code: parts.flat() as Array<number>
})
export const int = (x: I32): Value<"i32"> => (typeof x === "number" ? value("i32", 0x41, signed(BigInt(x | 0))) : x)

export const binary =
  <T extends Type, R extends Type>(result: R, ...opcode: ReadonlyArray<number>) =>
  (x: Value<T>, y: Value<T>): Value<R> =>
    value(result, x.code, y.code, opcode)
const binary32 =
  (opcode: number) =>
  (x: I32, y: I32): Value<"i32"> =>
    value("i32", int(x).code, int(y).code, opcode)
export const unary =
  <T extends Type, R extends Type>(result: R, ...opcode: ReadonlyArray<number>) =>
  (x: Value<T>): Value<R> =>
    value(result, x.code, opcode)
/** Alignment is a hint only; 0 is always true. A constant offset costs nothing. */
export const loader =
  <R extends Type>(result: R, ...opcode: ReadonlyArray<number>) =>
  (address: Address, offset = 0): Value<R> =>
    value(result, int(address).code, opcode, 0, unsigned(offset))
export const storer =
  <T extends Type>(...opcode: ReadonlyArray<number>) =>
  (address: Address, what: Value<T>, offset = 0): Statement => [
    ...int(address).code,
    ...what.code,
    ...opcode,
    0,
    ...unsigned(offset)
  ]

export const i32 = {
  const: (x: number): Value<"i32"> => int(x),
  add: binary32(0x6a),
  sub: binary32(0x6b),
  mul: binary32(0x6c),
  and: binary32(0x71),
  or: binary32(0x72),
  xor: binary32(0x73),
  shl: binary32(0x74),
  shr: binary32(0x75),
  shru: binary32(0x76),
  /** How many bits are set. */
  count: unary<"i32", "i32">("i32", 0x69),
  eq: binary32(0x46),
  ne: binary32(0x47),
  lt: binary32(0x48),
  ltu: binary32(0x49),
  gtu: binary32(0x4b),
  isZero: unary<"i32", "i32">("i32", 0x45),
  load: loader("i32", 0x28),
  load8: loader("i32", 0x2d),
  load16: loader("i32", 0x2f),
  store: (address: Address, what: I32, offset = 0): Statement => storer<"i32">(0x36)(address, int(what), offset),
  store8: (address: Address, what: I32, offset = 0): Statement => storer<"i32">(0x3a)(address, int(what), offset),
  store16: (address: Address, what: I32, offset = 0): Statement => storer<"i32">(0x3b)(address, int(what), offset),
  fromLow: unary<"i64", "i32">("i32", 0xa7),
  /** Towards 0, and no further than the type goes (unsigned). */
  fromDouble: unary<"f64", "i32">("i32", 0xfc, 0x03)
}

export const i64 = {
  const: (x: bigint): Value<"i64"> => value("i64", 0x42, signed(BigInt.asIntN(64, x))),
  add: binary<"i64", "i64">("i64", 0x7c),
  mul: binary<"i64", "i64">("i64", 0x7e),
  or: binary<"i64", "i64">("i64", 0x84),
  xor: binary<"i64", "i64">("i64", 0x85),
  shru: (x: Value<"i64">, by: number): Value<"i64"> => value("i64", x.code, i64.const(BigInt(by)).code, 0x88),
  isZero: unary<"i64", "i32">("i32", 0x50),
  load: loader("i64", 0x29),
  store: storer<"i64">(0x37),
  fromUnsigned: (x: I32): Value<"i64"> => value("i64", int(x).code, 0xad)
}

export const f64 = {
  const: (x: number): Value<"f64"> => value("f64", 0x44, [...new Uint8Array(Float64Array.of(x).buffer)]),
  add: binary<"f64", "f64">("f64", 0xa0),
  sub: binary<"f64", "f64">("f64", 0xa1),
  mul: binary<"f64", "f64">("f64", 0xa2),
  ne: binary<"f64", "i32">("i32", 0x62),
  eq: binary<"f64", "i32">("i32", 0x61),
  load: loader("f64", 0x2b),
  store: storer<"f64">(0x39),
  fromSigned: (x: I32): Value<"f64"> => value("f64", int(x).code, 0xb7),
  fromUnsigned: (x: I32): Value<"f64"> => value("f64", int(x).code, 0xb8),
  fromUnsigned64: unary<"i64", "f64">("f64", 0xba)
}

export const select = <T extends Type>(condition: I32, yes: Value<T>, no: Value<T>): Value<T> =>
  value(yes.type, yes.code, no.code, int(condition).code, 0x1b)

export const set = <T extends Type>(local: Local<T>, to: Value<T>): Statement => [...to.code, 0x21, ...unsigned(local.index)]
export const set32 = (local: Local<"i32">, to: I32): Statement => set(local, int(to))
export const when = (condition: I32, then: ReadonlyArray<Statement>, otherwise?: ReadonlyArray<Statement>): Statement => [
  ...int(condition).code,
  0x04,
  0x40,
  ...then.flat(),
  ...(otherwise === undefined ? [] : [0x05, ...otherwise.flat()]),
  0x0b
]
/** Runs `body`, and again as long as `condition` holds after it. */
export const repeat = (body: ReadonlyArray<Statement>, condition: I32): Statement => [
  0x03,
  0x40,
  ...body.flat(),
  ...int(condition).code,
  0x0d,
  0,
  0x0b
]
export const give = (result: I32): Statement => [...int(result).code, 0x0f]

/** A function of JavaScript that takes a double and returns an i32: the one a module may import, `env.call`. */
export const callOut = (x: Value<"f64">): Value<"i32"> => value("i32", x.code, 0x10, 0)

export interface Scope {
  readonly i32: () => Local<"i32">
  readonly i64: () => Local<"i64">
  readonly f64: () => Local<"f64">
  readonly v128: () => Local<"v128">
}

export interface Routine {
  readonly name: string
  readonly parameters: ReadonlyArray<Type>
  readonly locals: ReadonlyArray<Type>
  readonly code: ReadonlyArray<number>
}

type Locals<P extends ReadonlyArray<Type>> = { readonly [K in keyof P]: Local<P[K]> }

/** A function that returns an i32; `body` is given its parameters and where to take more locals from. */
export const routine = <const P extends ReadonlyArray<Type>>(
  name: string,
  parameters: P,
  body: (parameters: Locals<P>, scope: Scope) => ReadonlyArray<Statement>
): Routine => {
  const locals: Array<Type> = []
  const localAt = <T extends Type>(type: T, index: number): Local<T> => ({ ...value(type, 0x20, unsigned(index)), index })
  const fresh = <T extends Type>(type: T): Local<T> => {
    locals.push(type)
    return localAt(type, parameters.length + locals.length - 1)
  }
  const own = parameters.map((type, index) => localAt(type, index)) as unknown as Locals<P>
  const scope: Scope = { i32: () => fresh("i32"), i64: () => fresh("i64"), f64: () => fresh("f64"), v128: () => fresh("v128") }
  const statements = body(own, scope)
  return { name, parameters, locals, code: statements.flat() }
}

const list = (items: ReadonlyArray<ReadonlyArray<number>>): Array<number> => [...unsigned(items.length), ...items.flat()]
const text = (name: string): Array<number> => {
  const bytes = [...new TextEncoder().encode(name)]
  return [...unsigned(bytes.length), ...bytes]
}
const section = (id: number, content: ReadonlyArray<number>): Array<number> => [id, ...unsigned(content.length), ...content]

/** A module of these functions over the memory it imports as `env.memory`; `calls`: it imports `env.call` as well. */
export const assemble = (routines: ReadonlyArray<Routine>, calls = false): Uint8Array<ArrayBuffer> => {
  const types = routines.map(({ parameters }) => [0x60, ...list(parameters.map((type) => [typeCodes[type]])), 1, typeCodes.i32])
  const imports = [[...text("env"), ...text("memory"), 2, 0, 1]]
  if (calls) {
    types.push([0x60, 1, typeCodes.f64, 1, typeCodes.i32])
    imports.push([...text("env"), ...text("call"), 0, ...unsigned(routines.length)])
  }
  const first = calls ? 1 : 0
  const bodies = routines.map(({ code, locals }) => {
    const body = [...list(locals.map((type) => [1, typeCodes[type]])), ...code, 0x0b]
    return [...unsigned(body.length), ...body]
  })
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list(routines.map((_, i) => unsigned(i)))),
    ...section(7, list(routines.map(({ name }, i) => [...text(name), 0, ...unsigned(first + i)]))),
    ...section(10, list(bodies))
  ])
}
