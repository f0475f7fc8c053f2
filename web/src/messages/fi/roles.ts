export default {
  staff: 'Myyjä',
  manager: 'Esihenkilö',
  controller: 'Rekisterinpitäjä',
  auditor: 'Tarkastaja',
  admin: 'Ylläpitäjä',
  maintenance: 'Huolto',
};
