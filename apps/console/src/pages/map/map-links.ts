/** Links within the map: the same URL with another selection, so that Back and a pasted link both work. */
import { place, queryText, revised } from "../../place.ts"

export const selectHref = (key: string | undefined): string => {
  const { path, query } = place.value
  return path + queryText(revised(query, { select: key, view: undefined }))
}
