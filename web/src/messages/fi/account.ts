export default {
  password: 'Salasanan vaihto',
  text: 'Muut avoimet istuntosi päättyvät. Tallenteet, jotka saat avata, aukeavat yhä.',
  old: 'Nykyinen salasana',
  new: 'Uusi salasana',
  change: 'Vaihda salasana',
  changed: 'Salasana on vaihdettu.',
  wrong: 'Nykyinen salasana tai koodi on väärä.',
};
