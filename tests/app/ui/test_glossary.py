"""Every tab explains its words."""

from app import main
from app.ui import glossary


def test_every_word_is_explained_on_a_tab_and_every_tab_is_one_of_ours():
    assert set(glossary.OF_TAB) <= {tab.TITLE for tab in main.TABS}
    assert set(glossary.TERMS) == {term for terms in glossary.OF_TAB.values() for term in terms}
    assert all(glossary.of(title) for title in glossary.OF_TAB)
    assert all(meaning.endswith(".") and len(meaning) <= 110 for meaning in glossary.TERMS.values())
