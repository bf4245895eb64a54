/**
 * Passwords of twelve characters and more that everybody tries first, in lower case; shorter ones are refused by their length. Padded
 * common words, repetitions and runs of the alphabet or the keyboard are found by rule in password.ts.
 */
export const commonPasswords: ReadonlySet<string> = new Set([
  "correcthorsebatterystaple",
  "correct horse battery staple",
  "correct-horse-battery-staple",
  "datacenter123",
  "iloveyouforever",
  "ilovemyfamily",
  "sunshine12345",
  "superman12345",
  "thisisapassword",
  "trustno1trustno1",
  "whatever12345"
])
