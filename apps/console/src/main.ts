/** Boot: the look before anything is drawn, then the root element, which asks who is there. */
import "./style/type.css"
import "./style/tokens.css"
import "./style/base.css"
import { applyPreferences, preferences } from "./preferences.ts"
import { zone } from "./ui/clock.ts"

applyPreferences(document.documentElement)
zone.set(preferences.value.zone)
preferences.follow((chosen) => zone.set(chosen.zone))

void import("./frame/flowlens-console.ts")
