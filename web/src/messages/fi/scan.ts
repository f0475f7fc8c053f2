// Kirjallisen pyynnön skannaus luovutuksen rinnalla.
export default {
  title: 'Kirjallinen pyyntö',
  none: 'Pyynnön skannausta ei ole.',
  there: (kind: string, size: string, by: string, at: string): string => `${kind}, ${size}. Liitti ${by}, ${at}.`,
  kinds: { pdf: 'PDF', jpeg: 'JPEG-kuva', png: 'PNG-kuva' } as Record<string, string>,
  add: 'Liitä skannaus',
  replace: 'Vaihda skannaus',
  text: 'PDF, JPEG tai PNG, enintään 10 Mt. Skannauksen voi vaihtaa tai poistaa, kunnes ensimmäinen päätös on tehty. Älä liitä henkilöllisyystodistuksen kopiota.',
  save: 'Tallenna tiedostoksi',
  remove: 'Poista skannaus',
  put: 'Skannaus on liitetty.',
  removed: 'Skannaus on poistettu.',
  saved: 'Skannaus on tallennettu tälle koneelle. Poista tiedosto, kun et enää tarvitse sitä.',
  tooLarge: 'Tiedosto on liian suuri. Enintään 10 Mt.',
};
