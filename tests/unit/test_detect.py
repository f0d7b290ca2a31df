"""The language of a text is told from its letters and small words, or not at all."""

import pytest

from syndicate.rules.detect import detected

SAMPLES = {
    "en": "The European Union adopted its new strategy for Central Asia on Monday.",
    "de": "Die Europäische Union hat eine neue Strategie für Zentralasien beschlossen.",
    "fr": "L'Union européenne a adopté une nouvelle stratégie pour l'Asie centrale.",
    "es": "La Unión Europea aprobó una nueva estrategia para Asia Central.",
    "it": "L'Unione europea ha approvato una nuova strategia per l'Asia centrale.",
    "pt": "A União Europeia aprovou uma nova estratégia para a Ásia Central.",
    "nl": "De Europese Unie heeft een nieuwe strategie voor Centraal-Azië aangenomen.",
    "pl": "Unia Europejska przyjęła nową strategię dla Azji Środkowej, oraz plan na rok.",
    "tr": "Avrupa Birliği Orta Asya için yeni bir strateji kabul etti.",
    "az": "Avropa İttifaqı Mərkəzi Asiya üçün yeni strategiya qəbul edib.",
    "uz": "O‘zbekiston va Yevropa Ittifoqi hamkorlik haqida kelishib oldi.",
    "kk": "Eýropalyq Odaq Ortalyq Azııa úshin jańa strategııany qabyldady.",
    "sv": "Europeiska unionen har antagit en ny strategi för Centralasien.",
    "cs": "Evropská unie přijala novou strategii pro Střední Asii.",
    "hu": "Az Európai Unió új stratégiát fogadott el, és nem csak egy év van hátra.",
    "ro": "Uniunea Europeană a adoptat o nouă strategie pentru Asia Centrală.",
    "ru": "Евросоюз принял новую стратегию по Центральной Азии.",
    "uk": "Європейський Союз ухвалив нову стратегію.",
    "ky": "Кыргызстандын өкмөтү жаңы долбоорду колдоого алууда.",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_a_sentence_is_enough(language):
    assert detected(SAMPLES[language]) == language


@pytest.mark.parametrize("text", ["", "EU", "Kazakhstan", "EU strategy 2030", "Almaty – Tashkent", "12 %"])
def test_nothing_is_said_of_what_could_be_any_language(text):
    assert detected(text) is None
