/** Whole numbers for reading, everywhere the same: digits in threes, a narrow space that does not break between them (ISO 80000-1). */

export const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f")

/** Every digit. */
export const inFull = (value: number | bigint): string => grouped(String(value))
