from app.ui.session import Session


def test_an_empty_session_has_no_face_and_no_answers():
    assert Session().face is None and Session().face_predictions == {}


def test_the_chosen_face_has_its_own_answers(two):
    other = two.choose(1)
    assert other.face is two.faces[1] and two.face is two.faces[0]
    for name, answer in other.face_predictions.items():
        assert answer is two.predictions[name][1]


def test_what_is_no_index_of_a_face_changes_nothing(two):
    for index in (-1, 2, None, "0", [0]):
        assert two.choose(index).chosen == 0


def test_no_network_is_kept(one):
    kept = [one, *one.faces, *[answer for answers in one.predictions.values() for answer in answers]]
    modules = {type(value).__module__.split(".")[0] for item in kept for value in vars(item).values()}
    assert modules <= {"builtins", "numpy", "models"}
