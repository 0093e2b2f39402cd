"""Words that tell prose from lists of names, and dates, in the languages that pages are most often written in.

Stop words: the most frequent words of each language (articles, prepositions, pronouns, auxiliaries), from general knowledge of
the languages; the extractor's model was trained with this list, so a change of it asks for another training.
"""


def listed(text: str) -> list[str]:
    """Return the words of a text; long lists of names are easier to read so."""
    return text.split()


STOP_WORDS = frozenset(
    listed(
        """
    the a an of to and in is for on with that this it as at by from are was be or your you we our not have has can
    will but its they their which more about into than if when how what all who also been had were do does i he she
    his her my me so no up out there these those would could should may been being such then them some only over
    between after before where while der die das und zu den von mit ist ein eine einer eines dem des nicht sich auch
    auf für im am als wird werden sind bei aus nach oder wie wenn nur noch kann durch dass zum zur über vor haben
    hat wir sie es man le la les de et en un une est que qui dans pour par sur au aux du ce cette ces il elle nous
    vous ils ne pas plus se sont avec ou mais comme son sa ses leur être avoir fait tout el los las y del por para
    con una es al lo como más pero sus su se ha este esta entre cuando muy sin sobre también hay il di che e da
    della delle dei degli nel nella con non una per sono è alla come anche più questo questa si ma ha gli o os as do
    da dos das em no na nos nas um uma com não por mais se ao à como mas foi seu sua ou ser são também de het een
    van en op te dat met voor niet zijn is aan er maar om ook als bij of uit door naar dan wordt deze i w z na do
    nie się to że jest o jak od po za dla czy przez oraz ale są być który która które ze co a v se na je že s z do o
    k i to by jako za ve si po pro který která jsou není nebo jeho och att det som en på är av för med den till inte
    om har de ett kan från så men var vi jag og at det er en til på som med for den ikke av de et har kan fra om var
    ja on ei se että oli ovat myös kun niin mutta tai kuin joka ole hän és a az hogy nem is egy van de ezt meg mint
    csak azt vagy volt ve bir bu da de için ile olarak daha çok en gibi olan kadar ne var mi și de la în cu pe un o
    nu este care din mai sau pentru să au fi và của là có trong cho được các một với không để này khi người đã những
    yang dan di untuk dari dengan ini pada tidak dalam itu akan adalah atau ke
        """
    )
)

MONTHS = frozenset(
    listed(
        """
    january february march april may june july august september october november december jan feb mar apr jun jul
    aug sep sept oct nov dec januar februar märz mai juni juli oktober dezember janvier février mars avril juin
    juillet août septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre
    octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre janeiro
    fevereiro março maio junho julho setembro outubro dezembro ago yesterday today
        """
    )
)
