import type { Messages } from '../fi';

export default {
  kinds: {
    'camera-lost': { name: 'Kameran kan inte nås', effect: 'Den här bildströmmen spelas inte in.', remedy: 'Kontrollera kamerans ström, kabel, adress och lösenord. Pröva kameran i vyn Kameror.' },
    gap: { name: 'Inspelningen har avbrott', effect: 'Den här bildströmmen spelas inte in alls eller inte helt.', remedy: 'Administratören ser orsaken med sinetti ls.' },
    'volume-missing': { name: 'En disk saknas', effect: 'Diskens kameror spelas inte in, och dess inspelningar kan varken visas eller raderas.', remedy: 'Anslut disken igen. Administratören: sinetti doctor.' },
    'volume-full': { name: 'En disk är full', effect: 'Diskens kameror spelas inte in.', remedy: 'Se vad annat som finns på disken, eller skaffa en större.' },
    'volume-failing': { name: 'En disk skriver eller läser inte', effect: 'Diskens kameror spelas inte in, eller inte säkert.', remedy: 'Undersök disken och byt den.' },
    'volume-behind': { name: 'En disk hinner inte med', effect: 'Bilder håller på att gå förlorade: disken tar emot dem för långsamt.', remedy: 'Se vad annat som använder disken, eller ha färre kameror per disk.' },
    'sync-lag': { name: 'En disk släpar', effect: 'Ett strömavbrott skulle ta fler bilder än det borde.', remedy: 'Undersök disken.' },
    'sweep-late': { name: 'Raderingen är försenad', effect: 'Inspelningar finns kvar längre än tillåtet. De kan inte visas.', remedy: 'Administratören ser hindret med sinetti retention.' },
    'early-deletion': { name: 'Inspelningar raderas i förtid', effect: 'Inspelningar går förlorade före lagringstidens slut.', remedy: 'Skaffa en större disk eller förkorta lagringstiden.' },
    'guarantee-lost': { name: 'Utlovade inspelningar saknas', effect: 'Inspelningar som utlovades finns inte längre.', remedy: 'Skaffa en större disk eller lova mindre ([retention] i inställningarna).' },
    'hold-review': { name: 'En spärr väntar på granskning', effect: 'Inspelningar kan sparas i onödan, eller raderas fast de behövs.', remedy: 'Den personuppgiftsansvariga granskar, förlänger eller häver spärren.' },
    'clock-unsynchronised': { name: 'Ingenting håller klockan rätt', effect: 'Inspelningarnas tider är bara så exakta som enhetens egen klocka.', remedy: 'Kontrollera enhetens tidstjänst.' },
    'clock-in-doubt': { name: 'Klockslaget är osäkert', effect: 'Inspelningar raderas inte förrän klockan går att lita på.', remedy: 'Ställ klockan, eller bekräfta den: sinetti clock confirm.' },
    'clock-stepped': { name: 'Klockan flyttades', effect: 'Inspelningar kring denna tid är märkta som osäkra i tiden.', remedy: 'Ta reda på vem eller vad som ställde klockan.' },
    'scrub-damage': { name: 'En inspelning är skadad', effect: 'Skadade segment kan inte lämnas ut hela.', remedy: 'Administratören ser dem med sinetti scrub. Undersök disken.' },
    'scrub-missing': { name: 'Inspelningar saknas', effect: 'Dessa segment är förlorade.', remedy: 'Administratören ser dem med sinetti check. Ta reda på vem som tog bort dem.' },
    stranger: { name: 'Någon annan har ändrat i inspelningarnas mapp', effect: 'Inspelningar kan ha tagits bort eller manipulerats.', remedy: 'Ta reda på vem som har tillgång till enheten, kör sinetti check --deep och kvittera larmet.' },
    certificate: { name: 'Certifikatet går ut', effect: 'Webbläsare vägrar snart öppna sidorna.', remedy: 'Förnya certifikatet enligt anvisningen.' },
    'vault-holder': { name: 'Få kan öppna inspelningarna', effect: 'Snart öppnas inspelningarna bara med återställningsdelarna.', remedy: 'Lägg till en person som får se inspelningar, eller förläng giltigheten.' },
    'no-anchor': { name: 'Inget ankare har tagits', effect: 'En omskriven logg skulle inte märkas.', remedy: 'Ta ett ankare i vyn Logg.' },
    'ledger-trouble': { name: 'Loggen kan inte signeras', effect: 'Ingenting lämnas ut eller visas.', remedy: 'Administratören: sinetti ledger verify.' },
    'ledger-mirror': { name: 'Loggens kopia kan inte hållas', effect: 'Om enhetens uppgifter försvinner går loggen med, eller så har disken en annan logg.', remedy: 'Administratören ser orsaken med sinetti status.' },
    delivery: { name: 'Larm når inte fram', effect: 'Ingen som inte ser den här vyn får veta om larm.', remedy: 'Kontrollera larmens mottagare: sinetti alarms test.' },
  },
} satisfies Messages['alarms'];
