import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/tables.css';
import './styles/print.css';

import { mount } from 'svelte';

import { useRemedies } from './api/client';
import App from './App.svelte';
import { prompts } from './app/prompts.svelte';
import { session } from './app/session.svelte';
import { firstLanguage, texts } from './messages/current.svelte';

useRemedies({
  stepUp: () => prompts.ask('step-up'),
  unlock: () => prompts.ask('unlock'),
  lost: (word) => session.lost(word),
});

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
await texts.use(firstLanguage());
mount(App, { target });
