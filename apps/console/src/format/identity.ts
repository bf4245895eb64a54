/** Long identities lose their middle, never their end: the end is what tells two of them apart. */
export const middleCut = (text: string, longest: number): string => {
  if (text.length <= longest || longest < 5) return text
  const tail = Math.ceil((longest - 1) * 0.6)
  return `${text.slice(0, longest - 1 - tail)}…${text.slice(text.length - tail)}`
}
