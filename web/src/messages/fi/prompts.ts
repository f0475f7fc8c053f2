// Kysymykset, joita pyyntö voi tarvita: uusi koodi tai salasana.
export default {
  stepUpTitle: 'Vahvista koodilla',
  stepUpText: 'Tähän tarvitaan viiden minuutin sisällä annettu koodi. Anna tunnistautumissovelluksen koodi tai varakoodi.',
  unlockTitle: 'Avaa tallenteet salasanalla',
  unlockText: 'Tallenteiden avaimet lukittiin, koska niitä ei käytetty hetkeen. Anna salasanasi.',
  wrongCode: 'Koodi on väärä tai jo käytetty. Odota uutta koodia.',
  wrongPassword: 'Salasana on väärä.',
};
