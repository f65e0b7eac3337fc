/*
 * What mail clients support, as https://www.caniemail.com had tested it on 2025-09-09. Made by
 * scripts/mail-client-support.js of the data of the npm package caniemail 1.0.5, under this licence:
 *
 * MIT License
 *
 * Copyright (c) 2019 HTeuMeuLeu
 * Copyright © Avi Goldman
 * Copyright © Andrew Powell <andrew@shellscape.org>
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
 * documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
 * rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
 * persons to whom the Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
 * Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 * WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
 * COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
 * OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */

/** When the data was made. */
export const SUPPORT_DATE = '2025-09-09'

/** The clients, in the order of the letters of a row. */
export const MAIL_CLIENTS: readonly string[] = [
  'Apple Mail macOS',
  'Apple Mail iOS',
  'Gmail webmail',
  'Gmail iOS',
  'Gmail Android',
  'Gmail mobile webmail',
  'Orange webmail',
  'Orange iOS',
  'Orange Android',
  'Outlook Windows',
  'Outlook Windows Mail',
  'Outlook macOS',
  'Outlook.com',
  'Outlook iOS',
  'Outlook Android',
  'Yahoo! Mail webmail',
  'Yahoo! Mail iOS',
  'Yahoo! Mail Android',
  'AOL webmail',
  'AOL iOS',
  'AOL Android',
  'Samsung Email Android',
  'SFR webmail',
  'SFR iOS',
  'SFR Android',
  'Mozilla Thunderbird macOS',
  'ProtonMail webmail',
  'ProtonMail iOS',
  'ProtonMail Android',
  'HEY webmail',
  'Mail.ru webmail',
  'Fastmail webmail',
  'LaPoste.net webmail',
  'GMX webmail',
  'GMX iOS',
  'GMX Android',
  'WEB.DE webmail',
  'WEB.DE iOS',
  'WEB.DE Android',
  '1&1 webmail',
  '1&1 Android',
]

/**
 * One feature in each line: the keys that it is found by, its title, its name at caniemail.com, and a letter for each
 * client: y(es), n(o), a(lmost), u(nknown). What all support is left out.
 */
export const CLIENT_SUPPORT: string = `
property:accent-color|accent-color|css-accent-color|yynnnnnnnnnnnnnnnnnnnyynnunnnyynuuuuuuuuu
property:align-items|align-items|css-align-items|yynnnnnnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:animation|animation|css-animation|yynnnnnnnnnynnnnnnnnnyannynnnynyanyynyyay
property:aspect-ratio|aspect-ratio|css-aspect-ratio|yynnnnnnnnnnnnnnnnnnnnyyynyyyyynynyynyyyy
at:font-face|@font-face|css-at-font-face|yynnnnnnnanynnnnnnnnnynnnynnyynnnnynnynyn
at:import|@import|css-at-import|yynnnnnnnyyynnnnnnnnnnnnnnnnyynnnnynnynyn
at:keyframes|@keyframes|css-at-keyframes|yynnnnnnnnnynnnynnynnynnnynnnynynnyynyyay
media:-webkit-device-pixel-ratio media:-webkit-min-device-pixel-ratio|@media (-webkit-device-pixel-ratio)|css-at-media-device-pixel-ratio|yynnnnyyynnyyyynnnnnnynnnnnnyynynnyynyyyy
media:hover media:any-hover|@media (hover), @media (any-hover)|css-at-media-hover|yynnnnuuunnyyyynnnnnnynnnuyyyununuuuuuuuu
media:orientation|@media (orientation)|css-at-media-orientation|yaynynyyynnyyyynnnnnnynnnnnnnyyynyyyyyyyy
media:prefers-color-scheme|@media (prefers-color-scheme)|css-at-media-prefers-color-scheme|yynnnnyyynnyyyynnnnnnynnnnnnnnnynnyynyyyy
media:prefers-reduced-motion|@media (prefers-reduced-motion)|css-at-media-prefers-reduced-motion|yynnnnyyynnyyyynnnnnnyynnnaaaynnnnyynyyyy
at:media|@media|css-at-media|yyaaanyyynnyaaaaaaaaaannnnaayyaynyyyyyyyy
at:supports|@supports|css-at-supports|yynnnnyyynnynnnyyyyyyynnnnnnyynnnnyynyyyy
property:backdrop-filter|backdrop-filter|css-backdrop-filter|yynnnnununnynnnnnnnnnyyyyuuuuuyuunuunuuuu
property:background-blend-mode|background-blend-mode|css-background-blend-mode|yyyaannnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:background-clip|background-clip|css-background-clip|yyyaannnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:background-color|background-color|css-background-color|yyyyyyaaayyyyyyyyyyyyyyyyyyyyyyyyayyayyyy
property:background-image|background-image|css-background-image|yyyyyyyyynnyyyyaaaaaayyyyyyyyyyyyayyayyyy
property:background-origin|background-origin|css-background-origin|yyyaannnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:background-position|background-position|css-background-position|yyyyyyyyynnyyyyyyyyyyyyyyyyyyyyyyayyayyyy
property:background-repeat|background-repeat|css-background-repeat|yyyyyyyyynnyyyyyyyyyyyyyyyyyyyyyyayyayyyy
property:background-size|background-size|css-background-size|yyyaannnnnnyyyyyyyyyyyyyyyyyyyyyynyynyyyy
property:background|background|css-background|yyyyyyaaaaayyyyaaaaaayyyyyyyyyyyyayyayyyy
property:block-size property:inline-size|block-size & inline-size|css-block-inline-size|yynnnnnnunnnnnnnnnnnnyyyuyyyyyyyynyynyyyy
property:border-image|border-image|css-border-image|yynnnnnnnnnynnnnnnnnnyyyyyyyyyyyynyynyyyy
property:border-inline property:border-block|border-inline & border-block|css-border-inline-block|yynnnnuuunnnnnnnnnnnnnyyyuyyyuyuunyynyyyy
property:border-radius|border-radius|css-border-radius|yyyyyynnnnnyyyyaaaaaayyyyyyyyyyyynyynyyyy
property:border-spacing|border-spacing|css-border-spacing|yyyyyyuuunnnyyyyyyyyyyyyyyuuuuyuuyuuyuuuu
property:border|border|css-border|yyyyyyyyyaayyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:box-shadow|box-shadow|css-box-shadow|yynaannnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:box-sizing|box-sizing|css-box-sizing|yyyyynnnnnnyyyynnnnnnyyyyyyyyyyyyyyyyyyyy
property:caption-side|caption-side|css-caption-side|yyyyyyyyynnyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:clear|clear|css-clear|yyyyauuuunnuyyaaaaaaayuuuuyuuuyuuauuauuuu
property:clip-path|clip-path|css-clip-path|yynnnnnnnnnynnnnnnnnnyyyyyyyyyayynyynyyyy
property:color-scheme|color-scheme CSS property|css-color-scheme|yynnnnuuununnnnnnnnnnyanyyynnnnnunuunuuuu
property:column-count|column-count|css-column-count|yyyyynyyynnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:columns property:column-width property:column-rule property:column-span property:column-fill|css column properties|css-column-layout-properties|yyyyyyuuunnyyyynnnnnnyyyyyyyyyyyuuuuuuuuu
function:conic-gradient|conic-gradient()|css-conic-gradient|yynnnnnnnnnynnnnnnnnnayyyyyyyyyyyuuuuuuuu
property:cursor|cursor|css-cursor|annnnnuuuuunnnnanauuuuuuuyauuuuuuanyuuuuu
property:direction|direction|css-direction|yyyyyayyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
value:display:flex|display:flex|css-display-flex|yyyaaynnnnnyyyyyyyyyyyyyyyyyyyyyynyynyyyy
value:display:grid|display:grid|css-display-grid|yynnnynnnnnyynnnnnnnnyyyyyyyyyyyynyynyyyy
value:display:none|display:none|css-display-none|yyyyynyyyaayyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:display|display|css-display|yyyaayaaaaayyyyaaaaaayyyyyyyyyyayayyayyyy
property:empty-cells|empty-cells|css-empty-cells|yyyyyuuuunnyyyyynnynnyuuuuuuuunuuuuuuuuuu
property:filter|filter|css-filter|yynnnnnnnnnynnnnnnnnnyyyyyyyyyanynyynyyyy
value:flex-direction:column|flex-direction:column|css-flex-direction|yynnnnnnnnnyyynnnnnnnyyyyyyyyyyyynyynyyyy
value:flex-wrap:wrap|flex-wrap: wrap|css-flex-wrap|yynnnnnnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:float|float|css-float|yyyaayyyynnyyyyaaaaaayyyyyyyyyyyyayyayyyy
property:font-kerning|font-kerning|css-font-kerning|yyyyyyuuunuyyyynnnnuuyyuuyuuuunuunuuuuuuu
property:font-size|font-size|css-font-size|yyyyyyuuuaayyyyaaaaaaauuuyuuuuyuuauuauuuu
property:font-stretch|font-stretch|css-font-stretch|yyyynyuuunuyyynnnnnnunyynyyyuuyuuuuuuuuuu
property:font-weight|font-weight|css-font-weight|yyyyyyayyaayyyyaaaaaayyyyyyyyyyyyyyyyyyyy
function:clamp|clamp()|css-function-clamp|yyyaaynnnnnnnnnnnnnnnnyyyyyyyyynynyynyyyy
function:light-dark|light-dark()|css-function-light-dark|yynnnnnnunnnnnunnunnuaaauyayuaauanuuuuuuu
function:max|max()|css-function-max|yyyaaynnnnnynnnnnnnnnnyyyyyyyyynynyynyyyy
function:min|min()|css-function-min|yyyaaynnnnnynnnnnnnnnnyyyyyyyyynynyynyyyy
property:gap property:column-gap property:row-gap|gap, column-gap, row-gap|css-gap|yyaaannnnnnyaaannnnnnyyyyyyyyyyaynuuuuuuu
property:grid-template-columns property:grid-template-rows property:grid-template-areas|grid-template-* properties|css-grid-template|yynnnnnnnnnynnnnnnnnnyyyyyyyyyynynuuuuuuu
property:height|height property|css-height|yyyyyyyyyayyyyynnnnnnyyyyyyyyyyyyyyyyyyyy
property:hyphenate-character|hyphenate-character|css-hyphenate-character|yynnnnuuunnnnnnnnnnnnyuuuuuuuuauunuunuuuu
property:hyphenate-limit-chars|hyphenate-limit-chars|css-hyphenate-limit-chars|nnnnnnuuunnnnnnnnnnnnnuuunuuuuyuunuunuuuu
property:hyphens|hyphens|css-hyphens|yynnnuuuunnynnnnnnnuuyyyyuuuuuyuuuuuuuuuu
important|!important keyword|css-important|yyaaaannnaayyyyaaaaaayyaayaaayyyynyynyyyy
property:inline-size|inline-size|css-inline-size|nnnnnnnyynnnnnnnnnnnnyyyyyyyyyynynyynyyyy
property:inset|inset|css-inset|yynnnnuuunnnnnnnnnnnnnuuuyuuuunuunuunuuuu
word:fit-content word:min-content word:max-content|fit-content, min-content, max-content|css-intrinsic-size|yyyayynnnnnyyaannnnnnnyyyyyyyyyyyuuuuuuuu
property:justify-content|justify-content|css-justify-content|yynnnnnnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:left property:right property:top property:bottom|left, right, top, bottom|css-left-right-top-bottom|yynnnnyyynnyyyynnnnnnayyyyyyyyayyyyyyyyyy
property:letter-spacing|letter-spacing|css-letter-spacing|yyyyyyyyyaayyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:line-height|line-height|css-line-height|yyyyyyyaaaayyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
function:linear-gradient|linear-gradient()|css-linear-gradient|yyyyaynnnnnnnnnnnnnnnayyyyyyyyyyynyynyyyy
property:list-style-image|list-style-image|css-list-style-image|yynnnnnyynnynnnnnnnnnyyyyynynyyyyyyyyyyyy
property:list-style-position|list-style-position|css-list-style-position|yyyyyyyyynnyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:list-style|list-style|css-list-style|yyaaaayyyaayyyyaaaaaayyyyyaynyyyyyyyyyyyy
property:margin-block-start property:margin-block-end|margin-block-start & margin-block-end|css-margin-block-start-end|yynnnnuuunnynnnnnnnnnyuuuuyyyuyuunyynyyyy
property:margin-inline property:margin-block|margin-inline & margin-block|css-margin-inline-block|yynnnnyyynnnnnnnnnnnnnyyyyyyyyyyynyynyyyy
property:margin-inline-start property:margin-inline-end|margin-inline-start & margin-inline-end|css-margin-inline-start-end|yynnnnuuunnynnnnnnnnnyuuuuyyyuyuunyynyyyy
property:margin|margin|css-margin|yyaaaayyyaayaaaaaaaaayyyyyyyyyayyyyyyyyyy
property:mask-image|mask-image|css-mask-image|yynnnnuuunnynnnnnnnnnyuuuuuuuuyuunuunuuuu
property:max-block-size|max-block-size|css-max-block-size|yynnnuuuunnynynnnnnuuyuuuuyyyuyuuuuuuuuuu
property:max-height|max-height property|css-max-height|yyyyyyyyynnyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:max-inline-size|max-inline-size|css-max-inline-size|yynnnnuuunnnnnnnnnnnnyuuuuyyyuyuunuunuuuu
property:max-width|max-width|css-max-width|yyyyyyyyyaayyyyyayyayyyyyyyayyyyyyyyyyyyy
property:min-block-size|min-block-size|css-min-block-size|yynnnnuuunnnnnnnnnnnnyuuuuyyyuyuunuunuuuu
property:min-height|min-height property|css-min-height|yyyyyyyyynnyyyyyyyyyyyynyyynyyyyyyyyyyyyy
property:min-inline-size|min-inline-size|css-min-inline-size|yynnnnuuunnynynnnnnuuyuuuuyyyuyuuuuuuuuuu
property:min-width|min-width property|css-min-width|yyyyyyyyynnyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:mix-blend-mode|mix-blend-mode|css-mix-blend-mode|yyyaannnnnnyyyynnnnnnyyyyyyyyyynynyynyyyy
function:lch function:oklch function:lab function:oklab|lch(), oklch(), lab(), oklab()|css-modern-color|yynnnnuuunuynnnnnnnnnnuuunyynyyyuuuuuuuuu
property:object-fit|object-fit|css-object-fit|yyyaannnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:object-position|object-position|css-object-position|yyyaannnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
property:opacity|opacity|css-opacity|yyyyynnnnnnyyyyyyynnnyyyyyyyyynyynyynyyyy
property:orphans|orphans|css-orphans|yynnnnuuunnyyyynnnnnnyuuuuuuuuyuunuunuuuu
property:outline-offset|outline-offset|css-outline-offset|yynnnnnnnnnnnnnnnnnnnyyyyyyyyyyyynuuuuuuu
property:outline|outline|css-outline|yyyyyynnnnnyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:overflow-wrap|overflow-wrap|css-overflow-wrap|aannnuuuunnynnnnnnnuuyuuuuuuuuyuuuuuuuuuu
property:overflow|overflow|css-overflow|aaaaaaayynnaaaaaaaaaaayyyyaaayayyaaaaaayy
property:padding-block-start property:padding-block-end|padding-block-start & padding-block-end|css-padding-block-start-end|yynnnnuuunnynnnnnnnnnyuuuuyyyuyuunyynyyyy
property:padding-inline property:padding-block|padding-inline & padding-block|css-padding-inline-block|yynnnnuuunnnnnnnnnnnnnuuuuyyyuyuunyynyyyy
property:padding-inline-start property:padding-inline-end|padding-inline-start & padding-inline-end|css-padding-inline-start-end|yynnnnuuunnynnnnnnnnnyuuuuyyyuyuunyynyyyy
property:padding|padding|css-padding|yyyyyyyyyaayyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:position|position|css-position|aannnnaaannyanaaaaaaaaaaayyyyanaayyyyyyyy
pseudo:active|:active|css-pseudo-class-active|annnnnynynnyanyyyyynynnnnyyyyynynyyyyyyyy
pseudo:checked|:checked|css-pseudo-class-checked|yynnnnnnnnnyaaayyyyyyynnnynnnnnynnynnynnn
pseudo:first-child|:first-child|css-pseudo-class-first-child|yynnnnyyynnyayyyyyyyyynnnynnyynynyyyyyyyy
pseudo:first-of-type|:first-of-type|css-pseudo-class-first-of-type|yynnnnyyynnyayyyyyyyyynnnynnyynynnyynyyyy
pseudo:focus|:focus|css-pseudo-class-focus|ynnnnnynynnyanyyyyynyynnnyyyyynynyynyynyn
pseudo:has|:has()|css-pseudo-class-has|yynnnnynnnnnnnnnnnnnnynnnnyynynynnyynyyyy
pseudo:hover|:hover|css-pseudo-class-hover|yyynanyyynnyanyyyyynyynnnyyyyynynnyynyyyy
pseudo:lang|lang()|css-pseudo-class-lang|yynnnnuuunnnnyynnnnnnynuuuyyyununuuuuuuuu
pseudo:last-child|:last-child|css-pseudo-class-last-child|yynnnnyyynnyayyyyyyyyynnnynnyynynyyyyyyyy
pseudo:last-of-type|:last-of-type|css-pseudo-class-last-of-type|yynnnnyyynnyayyyyyyyyynnnynnyynynnyynyyyy
pseudo:link|:link|css-pseudo-class-link|yynnnnyyyyyyayyyyyyyyynnnynnyynynyyyyyyyy
pseudo:not|:not|css-pseudo-class-not|yynnnnyyynnynnnnnnnnnynnnynnyynynnyynyyyy
pseudo:nth-child|:nth-child|css-pseudo-class-nth-child|yynnnnyyynnynnnnnnnnnynnnynnyynynnyynyyyy
pseudo:nth-last-child|:nth-last-child|css-pseudo-class-nth-last-child|yynnnnyyynnynnnnnnnnnynnnynnyynynnyynyyyy
pseudo:nth-last-of-type|:nth-last-of-type|css-pseudo-class-nth-last-of-type|yynnnnyyynnynnnnnnnnnynnnynnnynynnyynyyyy
pseudo:nth-of-type|:nth-of-type|css-pseudo-class-nth-of-type|yynnnnyyynnynnnnnnnnnynnnynnnynynnyynyyyy
pseudo:only-child|:only-child|css-pseudo-class-only-child|yynnnnyyynnyayyyyyyyyynnnynnyynynyyyyyyyy
pseudo:only-of-type|:only-of-type|css-pseudo-class-only-of-type|yynnnnyyynnyayyyyyyyyynnnynnyynynyyyyyyyy
pseudo:target|:target|css-pseudo-class-target|nnnnnnnnynnyayyyyyynyynnnynnynnnnyynyynnn
pseudo:visited|:visited|css-pseudo-class-visited|nnnnnnynnnnyayyyyyynynnnnynnnynynynnynnyn
pseudo:after|::after|css-pseudo-element-after|yynnnnnnnnnaaannnnnnnynnnynnyynynnyynyyyy
pseudo:before|::before|css-pseudo-element-before|yynnnnnnnnnaaannnnnnnynnnynnyynynnyynyyyy
pseudo:first-letter|::first-letter|css-pseudo-element-first-letter|yynnnnyynnnaaanyyyyyyynnnynnyynynyyyyyyyy
pseudo:first-line|::first-line|css-pseudo-element-first-line|yynnnnyynnnaaanyyyyyyynnnynnyynynyyyyyyyy
pseudo:marker|::marker|css-pseudo-element-marker|yynnnnyynnnynnnyyyyyyynnnyyynynynuuuuuuuu
pseudo:placeholder|::placeholder|css-pseudo-element-placeholder|yynnnnnnnnnaaanyyyyyyynnnynnnnnynnynnynnn
function:radial-gradient|radial-gradient()|css-radial-gradient|yyyyayyyynnnnnnnnnnnnyyyyyyyyyyyynyynyyyy
property:resize|resize|css-resize|annnnuununnnnnnnnnnnnyunuuunuuyuunnunnuuu
function:rgb|rgb()|css-rgb|yyaaaaaaaaayyyyaaaaaayyyyyyyyyyyyayyayyyy
function:rgba|rgba()|css-rgba|yyaaaannnnnyyyyaaaaaayyyyyyyyyyyynyynyyyy
property:scroll-snap|scroll-snap|css-scroll-snap|yynnnnnnnnnnnnnnnnnnnyyyyyyyyyynyuuuuuuuu
selector:+|Adjacent sibling combinator|css-selector-adjacent-sibling|yyyaanyyynnyyyyyyyyyyyynnynnyyyyyayyayyyy
selector:[|Attribute selector|css-selector-attribute|yyaaanyyynnyaaaaaaaaayynnynnnyayynyynyyny
selector:>|Child combinator|css-selector-child|yyyaannyynnyyyyyyyyyyyynnynnyyyyynyynyyyy
selector:.|Class selector|css-selector-class|yyyaanyyyyyyyyyyyyyyyyynnynnyyyyyyyyyyyyy
selector:~|General sibling combinator|css-selector-general-sibling|yyyaanyyynnyyyyyyyyyyyynnynnyyyyynyynyyyy
selector:#|ID selector|css-selector-id|yyyaanyyyyyyyyyyyyyyyyynnynnyyyyyyyyyyyny
selector:*|Universal selector *|css-selector-universal|yyyaanyyynnyyyyyyyyyyyynnynnyynyyyyyyyyyy
property:shape-margin|shape-margin|css-shape-margin|yynnnnuuunnynnnnnnnnnyuuuyuuuuyuuuuuuuuuu
property:shape-outside|shape-outside|css-shape-outside|yynnnnuuunnynnnnnnnnnyuuuyuuuuyuuuuuuuuuu
word:system-ui word:ui-serif word:ui-sans-serif word:ui-rounded word:ui-monospace|system-ui, ui-serif, ui-sans-serif, ui-rounded, ui-monospace|css-sytem-ui|yyyyayyyannyyyayyayyaayyaayyayyyyyuuuuuuu
property:tab-size|tab-size|css-tab-size|yynnnuuuunnyyynnnnnuuyuuuuuuuunuunynnynyn
property:table-layout|table-layout|css-table-layout|yyyyyuuuunnyyyyyyyyuuyuuuuuuuuyuuuuuuuuuu
property:text-align-last|text-align-last|css-text-align-last|yyyyyyuuununnnnnnnnuuyuuuuuuuuyuuuuuuuuuu
property:text-align|text-align|css-text-align|yyyaayaaaaayyyyaaaaaayyyyyyyyyyyyyyyyyyyy
property:text-decoration-color|text-decoration-color|css-text-decoration-color|yyyaannyynnayyyyyyyyyyyyyyyyyyyyynyynyyyy
property:text-decoration-line|text-decoration-line|css-text-decoration-line|yyyyyyuuunnyyyyyyyyynyuuuyyyyuyuunuunuuuu
property:text-decoration-skip-ink|text-decoration-skip-ink|css-text-decoration-skip-ink|yynnnnnnunnnnnnnnnnnnyyuuyyyyyyyynuunuuuu
property:text-decoration-style|text-decoration-style|css-text-decoration-style|yyyyyyuuunnyyyyyyyyynyuuuyuuuuyuunuunuuuu
property:text-decoration-thickness|text-decoration-thickness|css-text-decoration-thickness|yynnnnnynnnynnnnnnnnnyyynyyyyyyyynyynyyyy
property:text-decoration|text-decoration|css-text-decoration|yyyaayynyaayyyyyyyyyyyynyyynyyyyyaayaayyy
property:text-emphasis-position|text-emphasis-position|css-text-emphasis-position|yynnnnuuunnynnnnnnnnnnuuuuyyyuyuunyynyyyy
property:text-emphasis|text-emphasis|css-text-emphasis|yyyynnuuunnyyynnnnnnnnuuuuyyyuyuunyynyyyy
property:text-indent|text-indent|css-text-indent|yyaaaayyyyyyyyyaaaaaayyyyyyyyyayyyyyyyyyy
property:text-justify|text-justify|css-text-justify|nnannauuuannannannnnnnuuuuuuuuauuauunuuuu
property:text-orientation|text-orientation|css-text-orientation|yyyyyyuuunnnyyynnnnnnyuuuyyyyuyuunuunuuuu
property:text-overflow|text-overflow|css-text-overflow|yyyaaynyynnyyyynnnnnnnyyyyyyyyyyynyynyyyy
property:text-shadow|text-shadow|css-text-shadow|yynnnnyyynnynnnyyyyyyyyyyyyyyyyyyyyyyyyyy
property:text-transform|text-transform|css-text-transform|yyyyyyyyyaayyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
property:text-underline-offset|text-underline-offset|css-text-underline-offset|yynnnnnynnnnnnnnnnnnnyyynyyyyyyyynyynyyyy
property:text-underline-position|text-underline-position|css-text-underline-position|aayayyuuunnnyaynnnnnnyuuuyyyyuyuunuunuuuu
property:text-wrap|text-wrap|css-text-wrap|yynnnnuuunnnnnnnnnnnnyuuuuuuuuyuunuunuuuu
property:transform|transform|css-transform|yynnnnnnnnnynnnnnnnnnyyyyyyyyynyynyynyyyy
property:transition|transition|css-transition|yynnnnnnnnnnnnnaaaaaaaynnyynuayyyuuuuuuuu
function:calc|CSS calc() function|css-unit-calc|yyyaaynnnnnynnnnnnnnnyyyyyyyyyyyynyynyyyy
unit:ch|ch unit|css-unit-ch|yyyyyynnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
word:initial|initial unit|css-unit-initial|yyaaaynnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
unit:rem|rem unit|css-unit-rem|yyyyyynnnnnyyyynnnnnnyyyyyyyyyyyynyynyyyy
unit:vh|vh unit|css-unit-vh|yayyyynnnnnyyyyyyyyyyyyynyyyyyynynyanyayy
unit:vmax|vmax unit|css-unit-vmax|yyyyyynnnnnyyyynnnnnnyyyyyyyyyyyynyanyayy
unit:vmin|vmin unit|css-unit-vmin|yyyyyynnnnnyyyynnnnnnyyynyyyyyyyynyanyayy
unit:vw|vw unit|css-unit-vw|yyyyyynnnnnyyyyyyyyyyyyyyyyyyyynynyynyyyy
property:user-select|user-select|css-user-select|yannnuuuunnnnnnnnnnnnyuuuuuuuuyuunuunnuuu
function:var|CSS Variables (Custom Properties)|css-variables|yynnnnnnnnnynnnnnnnnnyyyyyyyyynnynyynyyyy
property:visibility|visibility|css-visibility|yynnnnnnnnnyyyyyyynyyyyyyyyyyyyyyyyyyyyyy
property:white-space-collapse|white-space-collapse|css-white-space-collapse|yynnnnuuunnnnnnnnnnnnyuuuuuuuuyuuuuuuuuuu
property:white-space|white-space|css-white-space|yyyaayyyynnyyyyyaayyynyyayyyyyyyyyyayyaya
property:widows|widows|css-widows|yynnnnuuunnyyyynnnnnnyuuuuuuuuyuunuunuuuu
property:width|width property|css-width|yyyyyyyyyayyyyyyyyyyyyyyyyyyyyyyayyyyyyyy
property:word-break|word-break|css-word-break|aayaaaannynaaaannnnnnayyyyyaaayyynynnynyn
property:word-spacing|word-spacing|css-word-spacing|yyyyyyuuunnyyyyaaaaanyuuuyyyyuyuuauuauuuu
property:word-wrap|word-wrap|css-word-wrap|yyauauuuunnuyynyuuuuuuuuuuuuuuuuuuuuuuuuu
property:writing-mode|writing-mode|css-writing-mode|yyyaaynnnnnyyyynnnnnnyyyyyyyyyynynyynyyyy
property:z-index|z-index|css-z-index|yynnnnyyynnyyyyyyyyyyyyyyyyyyynyyyyyyyyyy
tag:abbr|<abbr> element|html-abbr|yyyyyynnunnyyyynnnnnnyyyuyyyunnyyyuuyuuuu
tag:acronym|<acronym> element|html-acronym|yyyyyyuuunnyyyynnnnnnyyyyyuuuunuuyuuyuuuu
tag:address|address|html-address|yyyyyynnnyyyyyyyyyyyyyyyyyyyyyyyyyynyynnn
attribute:align|align attribute|html-align|yyyyyyyyyyyayyyyyyyyyyyyyyayyayyyyyyyyyyy
href:#|Local anchors|html-anchor-links|yyynyynnyyyyynnannaynnnnnyynnnyynyynyynyy
attribute:aria-describedby|aria-describedby attribute|html-aria-describedby|yynnnnnnnnnyyyynnnnnnyyyynyyynnnynynnynyn
attribute:aria-hidden|aria-hidden attribute|html-aria-hidden|yyyyyynnnynyyyynnnnnnyyyynyyynyyynynnynyn
attribute:aria-label|aria-label attribute|html-aria-label|yyyyyynnnynyyyynnnnnnyyyynyyynyyynynnynyn
attribute:aria-labelledby|aria-labelledby attribute|html-aria-labelledby|yynnnnnnnnnynyynnnnnnyyyynyyynynynynnynyn
attribute:aria-live|aria-live attribute|html-aria-live|yyyyyynnnanynnnnnnnnnyyyynyyynyyynynnynyn
tag:audio|<audio> element|html-audio|yynnnnnnnnnnnnnnnnnnnyyyyynnnnnnnnnnnnnny
attribute:background|background attribute|html-background|yyyaayyyyanyyyyyyyyyyyyyyyyyynyyyyyyyyyyy
tag:base|<base>|html-base|yyaaaannnynaaanaaaaaaynnnyannanannynnynyn
tag:bdi|<bdi> element|html-bdi|yynnnnnnnnnynnnnnnnnnyyyyyyyynnyynynnynnn
tag:blockquote|<blockquote> element|html-blockquote|yyyyyyyyyyyyyyyyyyyyyyyyyyyyyayyyyyyyyyyy
tag:body|<body> element|html-body|yyaaaaaaayynaaaannannynnnynnnannnyyyyyyyy
input:reset|<button type="reset"> element|html-button-reset|yyyayyyyynnyynynnnnnnyayyayynnayynynnynan
input:submit|<button type="submit"> element|html-button-submit|yyyayyyyynnnnnyynyyyyyayyyyynnayynynnynan
tag:code|<code> element|html-code|yyyyyynnnyyyyyyyyyyyyyyyyyyyyyyyyyuuuuuuu
tag:dfn|<dfn> element|html-dfn|yyyyyyuuuaayyyyyyyyyyyyyyyyyyunuuyuuyuuuu
tag:dialog|<dialog> element|html-dialog|yynnynnnnnnynnnnnnnnnyyyyynnynnnynynnynnn
attribute:dir|dir attribute|html-dir|yyyyyaaaaaayyyyyyyyyyyyyyyyyyyyyynyynyyyy
tag:form|<form> element|html-form|yyyayynnnnnnayyynyyyyynyyynnnnnnnnynnynnn
attribute:height|height attribute|html-height|yyyyyyyyyayyyyyyyyyyyyyyyyyyynyyyyyyyyyyy
attribute:hidden|hidden attribute|html-hidden|yynnnnuuunnnnnnnnnnuuyyyyyyyyuauunuunuuuu
tag:map|Image maps|html-image-maps|yyyyyyyyyynyyyyyynynnyyyyyyynnyyyyyyyyyyy
input:checkbox|<input type="checkbox"> element|html-input-checkbox|yyyyyynnnnnyyyyyyyyyyynnnannnnyynnynnynnn
input:hidden|<input type="hidden"> element|html-input-hidden|yyyyyynnnnnyyyyyyyyyyynnnannnnyynnynnynnn
input:radio|<input type="radio"> element|html-input-radio|yyyyyynnnnnyyyyyyyyyyynnnannnnyynnynnynnn
input:reset|<input type="reset"> element|html-input-reset|yyyayynnnnnyyyyyyyyyyynnnannnnyynnynnynnn
input:submit|<input type="submit"> element|html-input-submit|yyyayynnnnnnnyyynyyyyynnnynnnnyynnynnynnn
input:text|<input type="text"> element|html-input-text|yyyyyynnnnnyyynyynyyynnnnannnnyynnynnynnn
attribute:lang|lang attribute|html-lang|yyyyyynyyyyyyyyaaaayyyyyyyyyynyyynynnynnn
tag:link|<link> element|html-link|yynnnnnnnyyynnnnnnnnnnnnnnnnnnnnnnynnynnn
tag:ul tag:ol tag:dl|<ul>, <ol> and <dl>|html-lists|yyaaaayyyaaaaaaaaaaaayyyyyyyyyayyyyyyyyyy
attribute:loading|loading attribute|html-loading-attribute|yynnnnnnnnnynnnnnnnnnyynnyynnaynynynnynnn
href:mailto|mailto: links|html-mailto-links|yyyyyyanayyyyyyyyayyayyyyyyyayyyyyyyyyyay
tag:marquee|<marquee> element|html-marquee|yynnnnnyynnyayyayyayyyyyyyayynnnanynnynnn
meta:color-scheme|color-scheme meta tag|html-meta-color-scheme|ynnnnnuuunnnnnnnnnnnnnnnnynnnnnnunuunuuuu
tag:meter|<meter> element|html-meter|yynnannnnnnyyyynnnnnnyyyyyyyynnyynynnynnn
tag:object|<object> element|html-object|aynnnnnnnnnannnnnnnnnannnannnnnnnnannannn
tag:picture|<picture> element|html-picture|aynnnnnnnnnynnnnnnnnnyyyyynnnnnnynynnynnn
attribute:popover|popover attribute|html-popover|yynnnnuuunnnnnnnnnnnuaynynnnunanuuuuuuuuu
tag:progress|<progress> element|html-progress|yynnannnnnnynnnnnnnnnyyyyyyyynnyynynnynnn
attribute:required|required attribute|html-required|yynnannnnnnynyynnnnnnyanyyannnnyanynnynnn
attribute:role|role attribute|html-role|yyyyyynnnynyyyyaaaaaayyyyyyyynyyynynnynnn
tag:rp|<rp> element|html-rp|yynnannnnnnyyyyyyyyyyyyyyyyyynnyynynnynnn
tag:rt|<rt> element|html-rt|yynnannnnnnyyyyyyyyyyyyyyyyyynnyynynnynnn
tag:ruby|<ruby> element|html-ruby|yynnannnnnnyyyyyyyyyyyyyyyyyynnyynynnynnn
tag:select|<select> element|html-select|yayayyyyynnyyyyynyyyyynnnayyynyynnynnynyn
tag:article tag:aside tag:details tag:figcaption tag:figure tag:footer tag:header tag:main tag:mark tag:nav tag:section tag:summary tag:time|HTML5 semantics|html-semantics|yyaaaaaaannyaaannnnnnyyyyyyyyanyynynnynan
tag:small|<small> element|html-small|yyyyyynnnyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyny
attribute:srcset attribute:sizes|srcset and sizes attributes|html-srcset|yynnnnnnnnnynnnnnnnnnyyyyynnnnnnynynnynnn
tag:strike|<strike> element|html-strike|yyyaayyyyyyyyyyyyyyyyyyyyyyyynyyyyyyyyyyy
tag:style|<style> element|html-style|yyaaanyyyaayyyyyyyyyyynnnyyaayyynnyynyyyy
tag:svg|Embedded <svg> image|html-svg|aynnnnyyynnynnnnnnnnnyyyyyyyynnnynynnynnn
attribute:target|target attribute|html-target|aannnnnnnaaanaannnnnnaynnannnnnnynannannn
tag:textarea|<textarea> element|html-textarea|yyyyyyyyynnyyynyynyyynnnnayyanyynnynnynyn
tag:video|<video> element|html-video|yannnnnnnnnynnnnnnnnnayyyynnnnnnnnynnynnn
tag:wbr|<wbr> element|html-wbr|yyynaynynnnyyyyyyyyyyyyyyyyyynnyynnnnnnyn
attribute:width|width attribute|html-width|yyyyyyyyyayyyyyyyyyyyyyyyyyyynyyyyyyyyyyy
image:apng|Animated PNG image format|image-apng|yynynnyyynnyyynyyyyyyyyyyyyyyyyyyyyyyyyyy
image:avif|AVIF image format|image-avif|yyaaaaynynnyyyyyyyyyyyynyyyyyynnynnnnnnnn
image:data|Base 64 image format|image-base64|yynnnnyyyanyyyyyyyyyyynyyyyyynyynayyayyyy
image:bmp|BMP image format|image-bmp|yyayaayyyyyyyyyyyyyyyyyyyyyyyyyyyynyynyyy
image:gif|GIF image format|image-gif|yyyyyyyyyayyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
image:hdr|HDR image format|image-hdr|nnnnnnyynnnnnnnnnnnnnnyynnnnnnnnnnnnnnnnn
image:heif image:heic|HEIF image format|image-heif|yyaaaannnnnnnynaynaynnnnnnaynnnnnnnnnnnnn
image:ico|ICO image format|image-ico|yyyyyyyyynyyyyyyyyyyyyyynyyyyyyyyyyyyyyyy
image:mp4|Video as Image Assets|image-mp4|yynnnnyynnnyyynyynyynnyynnyynnnnynynnynnn
image:svg|SVG image format|image-svg|yynaanyyyyynyyyyyyyyyyyyyyyyyynyyyyyyyyyy
image:tiff image:tif|TIFF image format|image-tiff|yyayaanynnyynynnynnynnyynnyynynnynynnynnn
image:webp|webP image format|image-webp|yyaaaayyynynyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
`
