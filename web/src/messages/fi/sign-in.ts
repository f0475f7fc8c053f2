export default {
  title: 'Kirjaudu sisään',
  name: 'Käyttäjätunnus',
  password: 'Salasana',
  code: 'Koodi',
  codeHint: 'Tunnistautumissovelluksen kuusi numeroa tai varakoodi.',
  enrol: 'Ota tunnus käyttöön',
  go: 'Kirjaudu',
  wait: (seconds: number): string => `Liian monta epäonnistunutta yritystä. Odota ${seconds} s ja yritä uudelleen.`,
};
