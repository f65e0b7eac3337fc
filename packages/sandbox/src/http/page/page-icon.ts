/** An envelope with a corner of a box, as SVG. */
export const PAGE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><rect width="20" height="20" rx="5" fill="#b8860b"/><path d="M4 6.5h12v7.5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z" fill="#fff"/><path d="m4.4 6.8 5.6 4.4 5.6-4.4" fill="none" stroke="#b8860b" stroke-width="1.5" stroke-linejoin="round"/></svg>`
