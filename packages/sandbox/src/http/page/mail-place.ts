import { type MailFilter, readFilter, toQuery } from './mail-filter.js'
import { MAIL_PARTS, type MailPart } from './mail-parts.js'

/** How wide the HTML of an email is shown; `fit` uses the available room. */
export const FRAME_WIDTHS = ['fit', 'phone', 'tablet', 'desktop'] as const
type FrameWidth = (typeof FRAME_WIDTHS)[number]

/** The colour scheme that the email sees. */
export const FRAME_SCHEMES = ['light', 'dark'] as const
export type FrameScheme = (typeof FRAME_SCHEMES)[number]

/** What the URL of an email's page says: how the email is shown, and in which list it is. */
export interface MailPlace {
  readonly filter: MailFilter
  /** By default the best part that the email has. */
  readonly part: MailPart | undefined
  readonly width: FrameWidth
  readonly scheme: FrameScheme
}

/** Reads the query of an email's URL. */
export function readPlace(query: (name: string) => string | undefined): MailPlace {
  const choose = <T extends string>(name: string, values: readonly T[]) =>
    values.find((value) => value === query(name))
  return {
    filter: readFilter(query),
    part: choose('part', MAIL_PARTS),
    width: choose('width', FRAME_WIDTHS) ?? 'fit',
    scheme: choose('scheme', FRAME_SCHEMES) ?? 'light',
  }
}

/** The query that {@link readPlace} reads, with its `?`; empty if everything is as usual. */
export function placeQuery({ filter, part, width, scheme }: MailPlace): string {
  const own = [
    part && `part=${part}`,
    width !== 'fit' && `width=${width}`,
    scheme !== 'light' && `scheme=${scheme}`,
  ].filter((each) => typeof each === 'string')
  const query = (toQuery(filter) + own.join('&')).replace(/&$/, '')
  return query === '' ? '' : `?${query}`
}
