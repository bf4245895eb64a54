/** The look, before anything is drawn: main.ts imports this first. */
import { applyPreferences, preferences } from "./preferences.ts"
import { zone } from "./ui/clock.ts"

applyPreferences(document.documentElement)
zone.set(preferences.value.zone)
preferences.follow((chosen) => zone.set(chosen.zone))
