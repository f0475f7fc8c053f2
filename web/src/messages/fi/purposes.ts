export default {
  'protection-of-persons': 'työntekijöiden ja asiakkaiden turvallisuus',
  'protection-of-property': 'omaisuuden suojaaminen',
  'crime-prevention': 'rikosten ennaltaehkäisy ja selvittäminen',
  misuse: 'väärinkäytösten selvittäminen',
  'false-alarms': 'väärien hälytysten selvittäminen',
  identification: 'tiloissa liikkuvien tunnistaminen',
  maintenance: 'asennus- ja huoltotyön apu',
};
