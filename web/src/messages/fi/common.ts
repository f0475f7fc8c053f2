export default {
  loading: 'Haetaan…',
  retry: 'Yritä uudelleen',
  cancel: 'Peruuta',
  confirm: 'Vahvista',
  save: 'Tallenna',
  close: 'Sulje',
  noPage: 'Tässä osoitteessa ei ole mitään.',
  deniedTitle: 'Ei oikeutta',
  deniedText: 'Oikeutesi eivät riitä tähän. Pyydä oikeutta laitteen ylläpitäjältä.',
};
