export default {
  title: 'Kirjaudu sisään',
  name: 'Käyttäjätunnus',
  password: 'Salasana',
  code: 'Koodi',
  go: 'Kirjaudu',
  wait: (seconds: number): string => `Liian monta epäonnistunutta yritystä. Odota ${seconds} s ja yritä uudelleen.`,
};
