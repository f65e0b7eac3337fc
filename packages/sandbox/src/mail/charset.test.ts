import { describe, expect, it } from 'vitest'
import { decodeText, isCharset } from './charset.js'

describe('decodeText', () => {
  it.each([
    ['cp932', '82b182f182c987408140', 'こんに①　'],
    ['windows-31j', '82b1', 'こ'],
    ['cp850', '8484819b', 'ääüø'],
    ['IBM850', '81', 'ü'],
    ['cp437', '9b', '¢'],
    ['cp-1252', '80939485', '€“”…'],
    ['windows-1252', '809f', '€Ÿ'],
    ['iso-8859-1', '80fc', '€ü'],
    ['latin1', '93', '“'],
    ['us-ascii', 'c3bc', 'ü'],
    ['US-ASCII', 'fc', 'ü'],
    ['ansi_x3.4-1968', 'c3bc', 'ü'],
    ['utf-7', '2b41504d2d206120554b2d', 'ó a UK-'],
    ['iso-2022-jp', '1b2442243324731b2842', 'こん'],
    ['euc-kr', 'b0a1', '가'],
    ['gb2312', 'd6d0', '中'],
    ['big5', 'a4a4', '中'],
    ['koi8-r', 'c1', 'а'],
    ['iso-8859-8-i', 'e0', 'א'],
    ['utf-16', 'feff00fc', 'ü'],
    ['utf-8', 'efbbbfc3bc', 'ü'],
    [' "utf-8" ', 'c3bc', 'ü'],
    ['', 'c3bc', 'ü'],
    [undefined, 'c3bc', 'ü'],
    [undefined, '80fc', '€ü'],
  ])('reads %s', (charset, hex, text) => {
    expect(decodeText(Buffer.from(hex, 'hex'), charset)).toBe(text)
  })

  it.each([
    'klingon',
    'iso-2022-kr',
    'unknown-8bit',
    'base64',
    'hex',
    'binary',
    '__proto__',
    'constructor',
    '?',
  ])('knows no charset %s', (charset) => {
    expect(decodeText(Buffer.from('a'), charset)).toBeUndefined()
    expect(isCharset(charset)).toBe(false)
  })
})
