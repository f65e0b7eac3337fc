/** A stream that the command line prints to; a terminal has `hasColors`. */
export interface Output {
  write(text: string): unknown
  hasColors?(): boolean
}
